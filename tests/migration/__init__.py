"""Databases in every condition, and migrators that die, in; the declared schema out."""

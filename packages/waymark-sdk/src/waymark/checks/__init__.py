"""Modules of workflows in; everything that is wrong or doubtful about them, in three formats, out."""

"""Owns claimed instances in memory and advances them: outcomes in, commits and calls out."""

"""Workflows as their authors write them, one family of the language per module."""

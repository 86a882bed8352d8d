"""Workflows as their authors write them, wrong ones too: what runs them compares with CPython."""

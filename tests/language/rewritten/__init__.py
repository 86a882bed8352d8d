"""What to write in place of each rejected workflow: every module beside one of ``rejected``."""

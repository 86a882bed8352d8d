"""Frames from a pool in, outcomes of user actions out: the code that a worker process runs."""

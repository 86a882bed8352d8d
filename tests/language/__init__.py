"""The workflow language: every case runs in CPython and in the machine, and both show the same."""

"""Tests of the machine: operators, methods, instructions and snapshots."""

"""Tests of the pytest plugin and of recovery after every step: real pytest runs, real child processes."""

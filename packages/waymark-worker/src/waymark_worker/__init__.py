"""The worker pool: machine, runloop, journal, supervisor."""

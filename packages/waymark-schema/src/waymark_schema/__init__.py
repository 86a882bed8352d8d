"""The agreement between processes: whatever one process writes and another reads."""

"""Workflows that a limit or an unsupported operation ends: no handler and no finally of theirs runs."""

"""Workflows that must not compile; beside each module the diagnostics its author sees."""

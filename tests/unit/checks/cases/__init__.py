"""Workflows that compile and may not do what is meant; beside each module the warnings its author sees."""

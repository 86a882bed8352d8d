"""Workflows to draw; beside each module what is printed of them."""

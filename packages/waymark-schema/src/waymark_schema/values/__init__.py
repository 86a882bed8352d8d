"""Durable values: Python objects in, tagged bytes out, and back."""

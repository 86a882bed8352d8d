"""Releases beside each other on one database: apps and pools of both in, the same results as of one out."""

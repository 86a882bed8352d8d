"""Frames between pool and worker, without a socket."""

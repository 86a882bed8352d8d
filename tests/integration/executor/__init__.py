"""A real worker process at the other end of a socket."""

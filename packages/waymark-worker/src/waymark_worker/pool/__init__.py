"""The worker pool of one runloop: calls in, ended attempts out."""

"""What pool and worker say to each other over their socket."""

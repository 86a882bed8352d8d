"""What `waymark check` finds, and the forms in which it says so."""

"""What `waymark dev` is made of: a private deployment that follows the files of its author."""

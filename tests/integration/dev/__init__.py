"""How `waymark dev` follows files, on a real file system."""

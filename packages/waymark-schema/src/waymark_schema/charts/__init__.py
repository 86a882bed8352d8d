"""A stored program and its source in; its control flow for people, as a tree, text or a picture, out."""

"""The control flow of programs as a tree, a text and a picture."""

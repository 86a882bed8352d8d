"""Functions of the standard library in the workflow language itself: compiled in wherever a workflow uses them."""

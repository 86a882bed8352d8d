"""Functions of a workflow in; warnings about what runs, and probably not as meant, out."""

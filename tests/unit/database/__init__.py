"""Units of the database layer: addresses, settings, statements, faults."""

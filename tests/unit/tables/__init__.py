"""Units of the tables: what is decided without a database."""

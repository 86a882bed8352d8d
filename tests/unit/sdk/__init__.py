"""Units of the SDK: definitions, dependencies, settings."""

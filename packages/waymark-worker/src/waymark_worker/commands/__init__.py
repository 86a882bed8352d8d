"""The `waymark` commands that come with the worker distribution."""

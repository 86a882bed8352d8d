"""The tests, as one package: fixtures and support are imported by their full names."""

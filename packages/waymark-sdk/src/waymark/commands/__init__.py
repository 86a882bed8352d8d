"""Commands that the SDK adds to the `waymark` group."""

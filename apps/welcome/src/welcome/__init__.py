"""The example application: a welcome e-mail workflow."""

"""The web application of Waymark."""

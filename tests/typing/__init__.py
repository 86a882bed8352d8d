"""What type checkers say about users' code."""

"""Rows in, what templates show out: pure, no clock, no database, no markup."""

"""Tests of durable values."""

"""Tests of what readers are told."""

"""Tests of the runtime that runs users' workflows in the process of their tests."""

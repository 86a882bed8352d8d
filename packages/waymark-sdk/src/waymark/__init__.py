"""Waymark SDK: durable background workflows in plain async Python."""

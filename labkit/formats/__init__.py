"""Stored formats that several programs read."""

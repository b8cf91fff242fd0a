"""Stored file formats that several programs read."""

"""Permissions: grants on objects, and checks."""

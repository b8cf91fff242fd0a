"""Workspace settings, and empty lists of services that the lab does not use."""

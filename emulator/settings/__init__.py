"""Workspace settings, and empty lists for services that the lab does not use."""

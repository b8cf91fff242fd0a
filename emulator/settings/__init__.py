"""Workspace settings, and the lists a workspace has that the lab leaves empty."""

"""Checks before anything changes: which workspace this is, and which costs a cluster quota does not cover."""

"""Cluster libraries and their installation status."""

"""Notebooks, files and folders."""

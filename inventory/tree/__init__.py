"""Folders and files of a workspace as values, and the order in which folders are listed. Pure."""

"""The end of a term: archives, removal of names and old files, and of what the lab leaves in the workspace."""

"""The end of a term: archives, and the removal of names, of old files and of the lab's objects in the workspace."""

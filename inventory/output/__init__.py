"""The files that a scan writes besides its result, and the removal of old files."""

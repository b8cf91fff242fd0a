"""Files that a scan writes besides its result, and the deletion of old files."""

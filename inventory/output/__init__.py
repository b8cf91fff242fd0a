"""The files that a scan writes beside its result, and the removal of old ones."""

"""Time requests: a group asks for more time in a file, and staff or the course's own rule answer."""

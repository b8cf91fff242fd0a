"""Moodle's web service as a source for rosters: the client, the course that it reads, and its groups."""

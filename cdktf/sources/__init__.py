"""The sources of rosters: parses Moodle's exports, in each format, into a list of groups."""

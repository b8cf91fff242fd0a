"""Sources for rosters: parses Moodle's export formats into a list of groups."""

"""What rosters come from: exports of Moodle in every shape, read into one list of groups."""

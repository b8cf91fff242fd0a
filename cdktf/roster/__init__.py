"""The roster: the students in each group, what an import changes, and its validation. Pure."""

"""The roster: the students of each group, the changes of an import, and its validation. Pure."""

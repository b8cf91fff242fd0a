"""The roster: who is in which group, what an import changes in it, and whether a course may have it. Pure."""

"""What outlives a term, and what must not: archives, names of people, old files, leftovers of the workspace."""

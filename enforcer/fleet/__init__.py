"""Several labs in one process: the file that lists them, whose turn is next, and what they share."""

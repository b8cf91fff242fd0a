"""A fleet of labs in one process: the file that lists them, the order of their turns, and what they share."""

"""The labs of a fleet, which one process serves: the file that lists them, whose turn is next, and what they share."""

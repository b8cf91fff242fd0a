"""The end of a term: its steps, the facts that determine their status, and the actions that carry them out."""

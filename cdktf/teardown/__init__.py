"""Closes a term: the steps, the facts that determine their status, and the actions that carry them out."""

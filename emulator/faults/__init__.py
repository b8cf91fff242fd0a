"""Faults on request: the rules that decide which request meets one, and named profiles of them."""

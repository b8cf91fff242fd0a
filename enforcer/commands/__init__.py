"""The verbs of `python -m enforcer`, a module each; `__main__` imports only the one that was asked for."""

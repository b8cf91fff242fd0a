"""The commands of `python -m enforcer`, one module each; `__main__` imports only the one that is called."""

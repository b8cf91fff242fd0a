"""The nightly update of the roster: what a saved plan may change without a person, the mail about it, and the run."""

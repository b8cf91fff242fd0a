"""The workspace as a whole: the state of all APIs, clock, options, state file."""

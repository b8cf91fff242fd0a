"""The whole workspace: the state of all APIs, clock, options, state file."""

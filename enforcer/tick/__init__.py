"""One tick: collect the state of the workspace, decide, carry out, notify."""

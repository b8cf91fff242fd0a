"""One tick: collect what the workspace says, decide, carry out, notify."""

"""Records when compute runs, and its nodes and sizes whenever they change, so that usage can be billed later."""

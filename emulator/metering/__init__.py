"""Records what compute consists of whenever that changes, so that usage can be billed later."""

"""Records nodes and sizes of compute whenever they change, so that usage can be billed later."""

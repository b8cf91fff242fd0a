"""`/_emulator/`: looking behind the scenes and moving them, from this machine only."""

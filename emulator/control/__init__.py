"""`/_emulator/`: endpoints to inspect and control the emulator, from this machine only."""

"""Lists every folder of the homes that were asked for, and remembers what is done."""

"""What is looked at before anything changes: which workspace this is, and what in it a quota does not cover."""

"""The infrastructure of a course: the stack and its constructs."""

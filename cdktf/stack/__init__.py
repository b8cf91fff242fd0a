"""The course as code: the stack and its constructs."""

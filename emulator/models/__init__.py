"""The contents of a workspace as plain data: a module per API, or a folder for APIs that belong together."""

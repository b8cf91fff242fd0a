"""The contents of a workspace as plain data: one module per API, with the name of its folder."""

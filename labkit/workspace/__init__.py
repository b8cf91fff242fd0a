"""Choice of the workspace and its credential, the workspace that is expected, and the connection to it."""

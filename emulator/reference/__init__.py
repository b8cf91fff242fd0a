"""Platform constants that are equal in all workspaces: runtimes, node types, policy families."""

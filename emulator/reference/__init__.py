"""Constants of the platform, equal in all workspaces: runtimes, node types, policy families. Pure constants."""

"""What the platform offers to every workspace: runtimes, node types, policy families. Pure constants."""

"""Account APIs for workspace administrators: account groups, and principals assigned to this workspace."""

"""Users, groups, service principals and their entitlements."""

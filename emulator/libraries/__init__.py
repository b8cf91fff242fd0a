"""Libraries of clusters and their installation status."""

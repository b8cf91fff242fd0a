"""Libraries of clusters and how far their installation is."""

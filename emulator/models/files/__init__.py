"""File system data: Workspace objects, and the trees of DBFS and volumes."""

"""The data of file systems: objects of the Workspace, and the trees of DBFS and of volumes."""

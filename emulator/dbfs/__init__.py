"""The Databricks File System."""

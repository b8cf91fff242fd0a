"""Access to the Databricks workspace, limited to what the enforcer needs."""

"""The Databricks workspace as the enforcer asks it, narrowed to what it needs."""

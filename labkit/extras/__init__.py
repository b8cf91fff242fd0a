"""Shared modules that need third-party packages: click, the Databricks SDK, dotenv."""

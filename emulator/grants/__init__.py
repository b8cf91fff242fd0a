"""Privileges on securables of Unity Catalog: grants, inheritance, owners, and the permissions API."""

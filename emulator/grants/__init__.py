"""Privileges on securables of Unity Catalog: who was given what, what follows from it, and `permissions` over HTTP."""

"""Shared by all APIs: requests and their bodies, routes, errors, the request log."""

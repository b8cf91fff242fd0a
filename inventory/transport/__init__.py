"""Requests to one workspace: connections, retries, the measured rate, the workers."""

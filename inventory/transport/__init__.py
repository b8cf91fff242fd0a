"""Requests to one workspace: connections, answers, retries, the rate that is permitted, the workers."""

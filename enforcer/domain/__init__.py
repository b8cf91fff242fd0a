"""Uptime, quotas, allowances, and the decisions based on them. Pure: no clock, network, database or file."""

"""Uptime, quotas, allowances and what follows from them. Pure: no clock, network, database or file."""

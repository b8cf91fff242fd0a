"""Clusters: their definition, state machine, events and uptime."""

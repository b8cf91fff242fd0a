"""Clusters: definition, state machine, events, uptime."""

"""Faults on demand: rules that select the affected requests, and named profiles."""

"""Cluster policies and policy families."""

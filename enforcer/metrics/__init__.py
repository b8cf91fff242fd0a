"""The state of a course and of the enforcer as Prometheus metrics, only from the ledger."""

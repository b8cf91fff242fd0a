"""The state of a course and of the enforcer as Prometheus metrics, from the ledger alone."""

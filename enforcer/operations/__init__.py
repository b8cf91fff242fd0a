"""Operation of the enforcer: the service, health checks, crash mail, ledger outages, and the checks of `doctor`."""

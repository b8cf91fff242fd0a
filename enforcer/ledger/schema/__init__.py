"""The schema of the ledger: the steps that created it, version by version."""

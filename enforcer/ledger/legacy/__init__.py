"""Reading the earlier system's ledger, and importing its totals."""

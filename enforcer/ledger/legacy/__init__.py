"""The ledger of the earlier system: reading it, and taking its totals over."""

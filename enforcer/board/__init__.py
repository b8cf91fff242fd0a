"""The staff's board: the lab on one page, from the ledger alone."""

"""The staff's board: the lab on one page, made only from the ledger."""

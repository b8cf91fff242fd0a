"""Ledgers that several tests use one after the other."""

from __future__ import annotations

from enforcer.ledger.database import Ledger
from enforcer.ledger.models import TABLES


def empty(ledger: Ledger) -> None:
    """Delete every row: making a ledger anew takes longer than most tests do."""
    for table in TABLES:
        ledger.delete(table).execute()

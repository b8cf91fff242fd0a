"""Ledgers that several tests use one after another."""

from __future__ import annotations

from enforcer.ledger.database import Ledger
from enforcer.ledger.models import LEDGER_ID, TABLES, NoteRow


def clear(ledger: Ledger) -> None:
    """Delete every row except the ledger's id: creating a ledger takes longer than most tests."""
    for table in TABLES:
        rows = ledger.delete(table)
        (rows.where(NoteRow.name != LEDGER_ID) if table is NoteRow else rows).execute()

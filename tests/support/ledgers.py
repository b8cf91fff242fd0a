"""Ledgers that several tests use one after the other."""

from __future__ import annotations

from enforcer.ledger.database import Ledger
from enforcer.ledger.models import LEDGER_ID, TABLES, NoteRow


def clear(ledger: Ledger) -> None:
    """Delete every row but the ledger's own name: making a ledger anew takes longer than most tests do."""
    for table in TABLES:
        rows = ledger.delete(table)
        (rows.where(NoteRow.name != LEDGER_ID) if table is NoteRow else rows).execute()

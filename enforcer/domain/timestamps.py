"""Instants as the ledger and the API have them: whole milliseconds since 1970, in UTC."""

from datetime import UTC, datetime, timedelta


def to_millis(instant: datetime) -> int:
    """Whole milliseconds, exactly: floats would lose some."""
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def to_instant(millis: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)


def instant_or_none(millis: int | None) -> datetime | None:
    return None if millis is None else to_instant(millis)


def millis_or_none(instant: datetime | None) -> int | None:
    return None if instant is None else to_millis(instant)

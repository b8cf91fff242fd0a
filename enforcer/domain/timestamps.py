"""Conversion of times to and from whole milliseconds since 1970 UTC, as the ledger and the API use them."""

from datetime import UTC, datetime, timedelta


def to_millis(time: datetime) -> int:
    """Return the time in whole milliseconds, computed without floats, which would lose precision."""
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def from_millis(millis: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)


def from_millis_or_none(millis: int | None) -> datetime | None:
    return None if millis is None else from_millis(millis)


def to_millis_or_none(time: datetime | None) -> int | None:
    return None if time is None else to_millis(time)

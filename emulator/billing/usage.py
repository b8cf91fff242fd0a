"""From periods of compute to hourly usage records, and their corrections. Pure.

Instants are milliseconds since 1970.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from operator import itemgetter
from typing import Literal

from emulator.models.billing.records import Correction

RecordType = Literal["ORIGINAL", "RETRACTION", "RESTATEMENT"]
HOUR = 3_600_000
DELAY = 12 * HOUR
"""Milliseconds from the end of an hour to the instant at which its records are in the table."""
KEPT = 365 * 24 * HOUR
"""Milliseconds after the end of an hour for which its records are kept."""


@dataclass(frozen=True)
class Charge:
    """What the records of one kind of usage have in common. Fields without a value are left out."""

    sku_name: str
    product: str
    metadata: tuple[tuple[str, str], ...] = ()
    identity: tuple[tuple[str, str], ...] = ()
    features: tuple[tuple[str, str | bool], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    @cached_property
    def key(self) -> str:
        """A text that differs from that of any other charge."""
        return json.dumps([self.sku_name, self.product, self.metadata, self.identity, self.features, self.tags])


@dataclass(frozen=True)
class Period:
    """A time in which something is charged at a constant rate."""

    charge: Charge
    start: int
    end: int
    millidbus_per_hour: int
    """Thousandths of a DBU, which all published rates are multiples of."""


@dataclass(frozen=True)
class UsageRecord:
    record_id: str
    charge: Charge
    start: int
    """The beginning of the hour, or of the first use in it."""
    end: int
    """The end of the hour, or of the last use in it."""
    dbus: Fraction
    """Negative in a retraction."""
    ingested_at: int
    record_type: RecordType = "ORIGINAL"


@dataclass
class _HourOfUse:
    charge: Charge
    start: int
    end: int
    amount: int = 0
    """In thousandths of a DBU per hour, times milliseconds."""


def usage_records(periods: Iterable[Period], scope: str) -> list[UsageRecord]:
    """Return the ORIGINAL records of these periods, oldest first: one for each hour and charge with any DBUs.

    A record is in the table from its `ingested_at` on. `scope` makes the record ids unique among workspaces; they do
    not depend on anything that happens later.
    """
    used: dict[tuple[int, str], _HourOfUse] = {}
    for period in periods:
        key, rate = period.charge.key, period.millidbus_per_hour
        hour = period.start - period.start % HOUR
        while hour < period.end and period.start < period.end and rate:
            start, end = max(period.start, hour), min(period.end, hour + HOUR)
            use = used.get((hour, key))
            if use is None:
                use = used[hour, key] = _HourOfUse(period.charge, start, end)
            use.start, use.end = min(use.start, start), max(use.end, end)
            use.amount += rate * (end - start)
            hour += HOUR
    return [
        UsageRecord(
            record_id=_id(f"{scope}:{hour}:{key}"),
            charge=use.charge,
            start=use.start,
            end=use.end,
            dbus=Fraction(use.amount, 1000 * HOUR),
            ingested_at=hour + HOUR + DELAY,
        )
        for (hour, key), use in sorted(used.items(), key=itemgetter(0))
    ]


def corrected(records: Sequence[UsageRecord], corrections: Iterable[Correction]) -> list[UsageRecord]:
    """Return the records with a retraction for each correction and, unless its factor is zero, a restatement.

    A correction of a restatement refers to the id of the restatement. A correction of an unknown record has no effect.
    """
    found = list(records)
    by_id: dict[str, UsageRecord] = {record.record_id: record for record in records}
    for correction in corrections:
        record = by_id.get(correction.record_id)
        if record is None:
            continue
        for type, factor in (("RETRACTION", Fraction(-1)), ("RESTATEMENT", Fraction(correction.factor))):
            if factor:
                added = _derived(record, type, factor, correction.at)  # type: ignore[arg-type]
                by_id[added.record_id] = added
                found.append(added)
    return found


def valid(records: Iterable[UsageRecord]) -> list[UsageRecord]:
    """Return the records that can be corrected: originals and restatements that are not retracted."""
    found = list(records)
    retracted = {_id(record.record_id, "RETRACTION") for record in found} & {record.record_id for record in found}
    return [
        record
        for record in found
        if record.record_type != "RETRACTION" and _id(record.record_id, "RETRACTION") not in retracted
    ]


def in_table(records: Iterable[UsageRecord], now: int) -> list[UsageRecord]:
    """Return the records that the table has at this instant."""
    return [record for record in records if record.ingested_at <= now <= record.end + KEPT]


def metadata_of(record: UsageRecord) -> Mapping[str, str]:
    return dict(record.charge.metadata)


def _derived(record: UsageRecord, type: RecordType, factor: Fraction, at: int) -> UsageRecord:
    return replace(
        record,
        record_id=_id(record.record_id, type),
        dbus=record.dbus * factor,
        ingested_at=max(at, record.ingested_at),
        record_type=type,
    )


def _id(key: str, type: str = "") -> str:
    """Return a UUID of the key. The class UUID takes several times as long as this."""
    digest = hashlib.sha256(f"{key}:{type}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"

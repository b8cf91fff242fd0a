"""Usage records are pure functions of periods: hours, sums, the delay, corrections."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from emulator.billing.periods import cluster_periods, split
from emulator.billing.tables import decimal_text
from emulator.billing.usage import (
    DELAY,
    HOUR,
    KEPT,
    Charge,
    Period,
    UsageRecord,
    corrected,
    in_table,
    usage_records,
    valid,
)
from emulator.models.billing.records import ClusterMakeup, Correction
from emulator.models.clusters import UptimeSession
from emulator.reference.node_types import node_types
from emulator.reference.prices import LIST_PRICES, NODE_DBUS, WAREHOUSE_DBUS
from emulator.warehouses.definition import SIZES

DAY = 24 * HOUR
NOON = 1_792_324_800_000
CHARGES = [Charge("A", "SQL"), Charge("A", "SQL", tags=(("team", "1"),)), Charge("B", "JOBS")]
TYPES = ("Standard_DS3_v2", "Standard_D8ds_v5")


@st.composite
def periods_(draw: st.DrawFn) -> Period:
    start = NOON + draw(st.integers(0, 2 * DAY))
    end = start + draw(st.integers(0, 9 * HOUR))
    return Period(draw(st.sampled_from(CHARGES)), start, end, draw(st.integers(0, 8000)))


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[UptimeSession], list[ClusterMakeup]]:
    """Sessions of a cluster, the last of which may be open, and its nodes, which change within and between them."""
    instants = sorted(draw(st.sets(st.integers(NOON, NOON + DAY), min_size=1, max_size=12)))
    pairs = [*zip(instants[::2], [*instants[1::2], None], strict=False)]
    sessions = [UptimeSession(start, end, None) for start, end in pairs]
    changes = sorted({sessions[0].start, *draw(st.sets(st.integers(NOON, NOON + DAY), max_size=6))})
    return sessions, [
        ClusterMakeup(
            at=at,
            driver_type=draw(st.sampled_from(TYPES)),
            worker_type=draw(st.sampled_from(TYPES)),
            workers=draw(st.integers(0, 4)),
            photon=draw(st.booleans()),
            is_job=draw(st.booleans()),
        )
        for at in changes
    ]


def test_periods_are_split_at_the_hour() -> None:
    period = Period(CHARGES[0], NOON + HOUR // 2, NOON + 2 * HOUR + HOUR // 4, 4000)
    found = [(record.start, record.end, record.dbus) for record in usage_records([period], "lab")]
    assert found == [
        (NOON + HOUR // 2, NOON + HOUR, Fraction(2)),
        (NOON + HOUR, NOON + 2 * HOUR, Fraction(4)),
        (NOON + 2 * HOUR, NOON + 2 * HOUR + HOUR // 4, Fraction(1)),
    ]


def test_no_time_and_no_rate_make_no_record() -> None:
    none = [Period(CHARGES[0], NOON + 5, NOON + 5, 4000), Period(CHARGES[0], NOON, NOON + HOUR, 0)]
    assert usage_records(none, "lab") == []


@given(st.lists(periods_(), max_size=8))
def test_records_add_up_to_the_periods(periods: list[Period]) -> None:
    records = usage_records(periods, "lab")
    for charge in CHARGES:
        amounts = [one.millidbus_per_hour * (one.end - one.start) for one in periods if one.charge == charge]
        expected = Fraction(sum(amounts), 1000 * HOUR)
        assert sum(record.dbus for record in records if record.charge == charge) == expected


@given(st.lists(periods_(), max_size=8))
def test_a_record_is_one_hour_of_one_charge(periods: list[Period]) -> None:
    records = usage_records(periods, "lab")
    keys = [(record.start // HOUR, record.charge) for record in records]
    assert len(set(keys)) == len({record.record_id for record in records}) == len(records)
    assert all(record.start < record.end <= (record.start // HOUR + 1) * HOUR for record in records)
    assert [record.start // HOUR for record in records] == sorted(record.start // HOUR for record in records)
    assert all(record.ingested_at == (record.start // HOUR + 1) * HOUR + DELAY for record in records)


@given(st.lists(periods_(), max_size=6), st.integers(0, 2 * DAY))
def test_earlier_records_do_not_depend_on_later_use(periods: list[Period], elapsed: int) -> None:
    now = NOON + elapsed
    until_now = [Period(one.charge, one.start, min(one.end, now), one.millidbus_per_hour) for one in periods]
    before = usage_records([one for one in until_now if one.start < now], "lab")
    after = usage_records(periods, "lab")
    complete = now - now % HOUR
    assert [one for one in before if one.end <= complete and one.start < complete - HOUR] == [
        one for one in after if one.end <= complete and one.start < complete - HOUR
    ]
    assert in_table(before, now) == in_table(after, now)


@given(histories())
def test_dbus_of_a_cluster_are_uptime_times_nodes(history: tuple[list[UptimeSession], list[ClusterMakeup]]) -> None:
    sessions, makeups = history
    now = NOON + DAY
    periods = [
        period
        for start, end, makeup in split(sessions, makeups, now)
        for period in cluster_periods("c", makeup, start, end)
    ]
    expected = Fraction(0)
    edges = sorted({now, *(one.at for one in makeups), *(one.start for one in sessions), *_ends(sessions)})
    for start, end in zip(edges, edges[1:], strict=False):
        if any(one.start <= start and (one.end is None or one.end >= end) for one in sessions):
            current = [one for one in makeups if one.at <= start][-1]
            nodes = NODE_DBUS[current.driver_type] + current.workers * NODE_DBUS[current.worker_type]
            factor = Fraction(29 if current.is_job else 20, 10) if current.photon else 1
            expected += Fraction(nodes) * factor * (end - start) / HOUR
    assert sum(record.dbus for record in usage_records(periods, "lab")) == expected


def _ends(sessions: list[UptimeSession]) -> list[int]:
    return [one.end for one in sessions if one.end is not None]


@given(histories())
def test_parts_of_sessions_add_up_to_the_uptime(history: tuple[list[UptimeSession], list[ClusterMakeup]]) -> None:
    sessions, makeups = history
    now = NOON + DAY
    uptime = sum((now if one.end is None else one.end) - one.start for one in sessions)
    assert sum(end - start for start, end, _ in split(sessions, makeups, now)) == uptime


def test_a_makeup_also_applies_before_it_was_recorded() -> None:
    makeup = ClusterMakeup(at=NOON, driver_type="a", worker_type="a", workers=0, photon=False, is_job=False)
    assert list(split([UptimeSession(NOON - 5, NOON + 5, None)], [makeup], NOON)) == [(NOON - 5, NOON, makeup)]
    assert list(split([UptimeSession(NOON, None, None)], [], NOON + 5)) == []


# --- corrections


def test_a_correction_is_a_retraction_and_a_restatement() -> None:
    (record,) = usage_records([Period(CHARGES[0], NOON, NOON + HOUR, 3000)], "lab")
    at = NOON + DAY
    found = corrected([record], [Correction(at, record.record_id, "0.5")])
    assert [(one.record_type, one.dbus, one.ingested_at, one.charge) for one in found] == [
        ("ORIGINAL", 3, NOON + HOUR + DELAY, record.charge),
        ("RETRACTION", -3, at, record.charge),
        ("RESTATEMENT", Fraction(3, 2), at, record.charge),
    ]
    assert len({one.record_id for one in found}) == 3
    assert valid(found) == [found[2]]


def test_a_correction_of_an_unknown_record_has_no_effect() -> None:
    assert corrected([], [Correction(NOON, "unknown", "2")]) == []


@given(st.lists(periods_(), max_size=5), st.lists(st.tuples(st.integers(0, 99), st.integers(0, 300)), max_size=8))
def test_retractions_cancel_what_they_retract(periods: list[Period], choices: list[tuple[int, int]]) -> None:
    originals = usage_records(periods, "lab")
    corrections: list[Correction] = []
    for number, percent in choices:
        open_records = valid(corrected(originals, corrections))
        if open_records:
            record = open_records[number % len(open_records)]
            corrections.append(Correction(NOON + 9 * DAY, record.record_id, f"{percent / 100:.2f}"))
    found = corrected(originals, corrections)
    assert sum(one.dbus for one in found) == sum(one.dbus for one in valid(found))
    retracted = [one.dbus for one in found if one.record_type == "RETRACTION"]
    assert len(retracted) == len(corrections) and len({one.record_id for one in found}) == len(found)
    assert [one.record_type for one in found[: len(originals)]] == ["ORIGINAL"] * len(originals)


def test_records_are_in_the_table_from_twelve_hours_to_a_year() -> None:
    (record,) = usage_records([Period(CHARGES[0], NOON, NOON + HOUR, 3000)], "lab")
    instants = [NOON + 13 * HOUR - 1, NOON + 13 * HOUR, NOON + HOUR + KEPT, NOON + HOUR + KEPT + 1]
    assert [in_table([record], now) == [record] for now in instants] == [False, True, True, False]


# --- figures


def test_every_node_type_and_warehouse_size_has_its_dbus() -> None:
    assert set(NODE_DBUS) == set(node_types())
    assert set(WAREHOUSE_DBUS) == set(SIZES)
    assert all(price > 0 for price in LIST_PRICES.values())


def test_quantities_are_rounded_alike_with_both_signs() -> None:
    assert decimal_text(Fraction(2, 3)) == "0.666666666666666667"
    assert decimal_text(Fraction(-2, 3)) == "-0.666666666666666667"
    assert decimal_text(Fraction(9, 4)) == "2.250000000000000000"


def test_records_are_equal_in_every_computation() -> None:
    def computed() -> list[UsageRecord]:
        return usage_records([Period(CHARGES[1], NOON, NOON + HOUR, 3000)], "lab")

    assert computed() == computed()
    assert computed()[0].record_id != usage_records([Period(CHARGES[1], NOON, NOON + 1, 3000)], "x")[0].record_id

"""The metrics: their values, names and labels, the file for the node exporter, and what dashboard and rules name."""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.observations import OtherCluster
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger, open_copy
from enforcer.mail import outbox
from enforcer.mail.messages import Message
from enforcer.metrics.catalogue import Metric
from enforcer.metrics.exposition import text_of
from enforcer.metrics.recorded import metrics_of, state_of, update_textfile
from enforcer.reports.day_report import missed_polls
from enforcer.tick.history import load_past_snapshot
from enforcer.tick.run import run_tick
from enforcer.time_requests import store
from enforcer.time_requests.model import State, TimeRequest
from fake_mail_service import FakeMailService
from in_process_course import SETTINGS, START, InProcessCourse
from labkit.clock import Deadline

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
M = timedelta(minutes=1)
PROMISED_LABELS = {"course", "term", "group", "period", "kind"}

Series = dict[tuple[str, tuple[str, ...]], float]


def parsed(text: bytes) -> Series:
    """Return the value of each series by its name without the prefix and its labels except course and term, which the
    text has in the order of their names.
    """
    found: Series = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            assert (sample.labels.pop("course"), sample.labels.pop("term")) == ("94290", "2026w")
            key = sample.name.removeprefix("teaching_lab_"), tuple(sample.labels.values())
            assert key not in found
            found[key] = sample.value
    return found


@pytest.fixture
def lab() -> InProcessCourse:
    return InProcessCourse(2, soft=150 * M, hard=180 * M, week=600 * M)


def tick(ledger: Ledger, lab: InProcessCourse) -> None:
    run_tick(SETTINGS, ledger, lab.connect(), FakeMailService(), now=lab.now(), deadline=Deadline(M))


def series(ledger: Ledger, lab: InProcessCourse) -> Series:
    return parsed(metrics_of(ledger, SETTINGS, now=lab.now()))


def test_the_metrics_have_usage_limits_actions_messages_and_the_last_tick(ledger: Ledger, lab: InProcessCourse) -> None:
    over, other = lab.clusters
    lab.start(over)
    lab.workspace.advance(160 * 60)
    lab.start(other)
    lab.workspace.advance(20 * 60 + 4)
    tick(ledger, lab)

    found = series(ledger, lab)

    duration = found.pop(("last_tick_duration_seconds", ()))
    calls = {key: found.pop(key) for key in [*found] if key[0] == "last_tick_calls"}
    assert 0 <= duration < 60
    assert {kind for (_, (kind,)) in calls} >= {"clusters/list", "clusters/delete"}
    usage: Series = {
        ("usage_seconds", (group, period)): used
        for group, used in (("group_001", 180 * 60 + 2), ("group_002", 20 * 60 + 2))
        for period in ("day", "week")
    }
    limits: Series = {
        ("limit_seconds", (group, kind, period)): minutes * 60
        for group in ("group_001", "group_002")
        for period, kind, minutes in (
            ("day", "soft", 150), ("day", "hard", 180), ("week", "soft", 570), ("week", "hard", 600),
        )
    }  # fmt: skip
    left: Series = {
        ("left_seconds", ("group_001", "day")): 0,
        ("left_seconds", ("group_001", "week")): 420 * 60 - 2,
        ("left_seconds", ("group_002", "day")): 160 * 60 - 2,
        ("left_seconds", ("group_002", "week")): 580 * 60 - 2,
    }
    running: Series = {
        ("running_clusters", (group, kind)): float(kind == "counted")
        for group in ("group_001", "group_002")
        for kind in ("counted", "uncounted")
    }
    done = {"warn": 0, "restrict": 1, "stop": 1, "restore": 0}
    waiting = {kind.value: float(kind is MessageKind.STOPPED) for kind in MessageKind}
    expected: Series = {
        **usage,
        **limits,
        **left,
        **running,
        ("group_restricted", ("group_001",)): 1,
        ("group_restricted", ("group_002",)): 0,
        **{("actions_total", (kind,)): number for kind, number in done.items()},
        **{("action_failures_total", (kind,)): 0 for kind in done},
        **{("messages_waiting", (kind,)): number for kind, number in waiting.items()},
        **{("messages_failed_total", (kind,)): 0 for kind in waiting},
        ("oldest_waiting_message_timestamp_seconds", ()): lab.now().timestamp(),
        ("last_tick_timestamp_seconds", ()): lab.now().timestamp(),
        ("last_tick_failures", ()): 0,
        ("ticks_total", ()): 1,
        ("tick_failures_total", ()): 0,
        ("polls_missed", ()): 0,
        **{("foreign_running_clusters", (kind,)): 0 for kind in ("cluster", "job", "lab")},
    }
    assert found == expected


def test_an_empty_ledger_has_no_tick_and_no_group(ledger: Ledger) -> None:
    found = parsed(metrics_of(ledger, SETTINGS, now=START))
    assert {name for name, _ in found} == {
        "actions_total", "action_failures_total", "messages_waiting", "messages_failed_total", "ticks_total",
        "tick_failures_total", "polls_missed",
    }  # fmt: skip
    assert set(found.values()) == {0}


def test_an_unlimited_day_has_usage_and_no_limit(ledger: Ledger, lab: InProcessCourse) -> None:
    entry = {
        "version": 1, "id": "a1", "group": "group_001", "first_day": "2026-11-02", "last_day": "2026-11-02",
        "unlimited": True, "reason": "exam", "given_by": "staff", "given_at": "2026-11-01T08:00:00+00:00",
    }  # fmt: skip
    lab.put("/lab-94290-2026w/allowances/a1.json", json.dumps(entry))
    lab.start(lab.clusters[0])
    lab.workspace.advance(10 * 60 + 2)
    tick(ledger, lab)

    found = {key: value for key, value in series(ledger, lab).items() if "group_001" in key[1]}

    assert found == {
        ("usage_seconds", ("group_001", "day")): 600,
        ("running_clusters", ("group_001", "counted")): 1,
        ("running_clusters", ("group_001", "uncounted")): 0,
        ("group_restricted", ("group_001",)): 0,
    }


def test_waiting_time_requests_are_counted_with_the_oldest(ledger: Ledger, lab: InProcessCourse) -> None:
    def requests() -> Series:
        return {key: value for key, value in series(ledger, lab).items() if "time_request" in key[0]}

    tick(ledger, lab)
    assert requests() == {}, "groups cannot ask for more time"
    lab.write_course(requests={"expire_days": 7})
    lab.workspace.advance(60)
    result = run_tick(SETTINGS, ledger, lab.connect(), FakeMailService(), now=lab.now(), deadline=Deadline(M))
    assert result.snapshot
    assert requests() == {("time_requests_waiting", ()): 0}
    states = (State.APPROVED, State.WAITING, State.WAITING)
    asked = [TimeRequest(f"r{n}", "group_001", START + n * M, 60, "", state) for n, state in enumerate(states)]
    store.save(ledger, result.snapshot.course, asked)
    assert requests() == {
        ("time_requests_waiting", ()): 2,
        ("oldest_waiting_time_request_timestamp_seconds", ()): (START + M).timestamp(),
    }


def test_running_clusters_of_others_have_a_kind_and_no_name(ledger: Ledger, lab: InProcessCourse) -> None:
    others = (
        OtherCluster("a", "spare", "", START),
        OtherCluster("b", "dana", "94290 2026w", START - M),
        OtherCluster("c", "theirs", "94290 2027s", START - 3 * M),
        OtherCluster("d", "nightly", "", None, is_job=True),
    )
    tick(ledger, lab)
    state = replace(state_of(ledger, load_past_snapshot(ledger, SETTINGS, now=lab.now())), others=others)

    text = text_of(state)

    found = {key: value for key, value in parsed(text).items() if "foreign" in key[0]}
    assert found == {
        ("foreign_running_clusters", ("cluster",)): 2,
        ("foreign_running_clusters", ("job",)): 1,
        ("foreign_running_clusters", ("lab",)): 1,
        ("oldest_foreign_cluster_timestamp_seconds", ("cluster",)): (START - M).timestamp(),
        ("oldest_foreign_cluster_timestamp_seconds", ("lab",)): (START - 3 * M).timestamp(),
    }
    assert not any(one.label.encode() in text for one in others)


def test_failed_actions_and_messages_are_counted_by_kind(ledger: Ledger, lab: InProcessCourse) -> None:
    message = Message("s", "t", "<p>t</p>", ("a@b.example",))
    outbox.queue(ledger, MessageKind.CRASH, "waiting", message, now=START)
    outbox.queue(ledger, MessageKind.REPORT, "nobody", replace(message, to=()), now=START)
    for error in ("no answer", None):
        number = queries.note_intent(ledger, "stop", "c1", "group_001", reason="", day=START.date(), now=START)
        queries.note_outcome(ledger, number, now=START, error=error)

    found = series(ledger, lab)

    assert [found["messages_waiting", (kind,)] for kind in ("crash", "report")] == [1, 0]
    assert [found["messages_failed_total", (kind,)] for kind in ("crash", "report")] == [0, 1]
    assert (found["actions_total", ("stop",)], found["action_failures_total", ("stop",)]) == (1, 1)


def test_the_metrics_of_a_tick_are_those_of_the_ledger(ledger: Ledger, lab: InProcessCourse) -> None:
    lab.start(lab.clusters[0])
    lab.workspace.advance(30 * 60)
    result = run_tick(SETTINGS, ledger, lab.connect(), FakeMailService(), now=lab.now(), deadline=Deadline(M))
    texts = [metrics_of(ledger, SETTINGS, now=lab.now(), snapshot=snapshot) for snapshot in (None, result.snapshot)]
    assert texts[0] == texts[1]


def test_only_promised_labels_occur() -> None:
    assert {label for metric in Metric for label in metric.labels} == PROMISED_LABELS


HOSTILE = 'group "1"\n# HELP x\\ {a="b"} 1'


def test_a_hostile_group_name_stays_one_label(ledger: Ledger, lab: InProcessCourse) -> None:
    result = run_tick(SETTINGS, ledger, lab.connect(), FakeMailService(), now=lab.now(), deadline=Deadline(M))
    assert result.snapshot
    course = result.snapshot.course
    hostile = replace(course.groups["group_001"], name=HOSTILE, title="Secret title")
    snapshot = replace(result.snapshot, course=replace(course, groups={HOSTILE: hostile}))

    text = metrics_of(ledger, SETTINGS, now=lab.now(), snapshot=snapshot)

    assert parsed(text)["left_seconds", (HOSTILE, "day")] == 180 * 60
    assert b"Secret title" not in text
    assert b"@" not in text


def test_the_file_is_replaced_and_readable_by_all(tmp_path: Path, ledger: Ledger, lab: InProcessCourse) -> None:
    path = tmp_path / "lab.prom"
    settings = replace(SETTINGS, metrics_file=path)
    for number in (1, 2):
        tick(ledger, lab)
        lab.workspace.advance(60)
        assert update_textfile(settings, ledger, now=lab.now(), snapshot=None) == ""
        assert parsed(path.read_bytes())["ticks_total", ()] == number
    assert (path.stat().st_mode & 0o777, [one.name for one in tmp_path.glob("*.prom*")]) == (0o644, ["lab.prom"])


def test_a_file_that_cannot_be_written_is_a_problem(tmp_path: Path) -> None:
    settings = replace(SETTINGS, metrics_file=tmp_path / "missing" / "lab.prom")
    with closing(open_copy(str(tmp_path / "none.db"))) as ledger:
        problem = update_textfile(settings, ledger, now=START, snapshot=None)
    assert problem == (
        f"LAB_METRICS: {tmp_path}/missing/lab.prom cannot be written (No such file or directory); check the folder"
    )


def test_without_the_setting_nothing_is_written(tmp_path: Path) -> None:
    with closing(open_copy(str(tmp_path / "none.db"))) as ledger:
        assert update_textfile(SETTINGS, ledger, now=START, snapshot=None) == ""
    assert not [*tmp_path.iterdir()]


EIGHT = datetime(2026, 11, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [([0, 15, 30, 45, 60], 0), ([], 3), ([15, 30, 45], 0), ([0, 14, 31, 44, 60], 0), ([0, 30, 60], 2), ([0, 5, 60], 3)],
)
def test_a_poll_is_missed_in_each_full_interval_of_a_gap(minutes: list[int], expected: int) -> None:
    polls = [EIGHT + minute * M for minute in minutes]
    assert missed_polls(polls, EIGHT, EIGHT + 60 * M) == expected


@given(seconds=st.lists(st.integers(0, 3 * 86_400), max_size=50))
def test_more_polls_never_increase_the_number_of_missed_ones(seconds: list[int]) -> None:
    polls = sorted(EIGHT + timedelta(seconds=one) for one in seconds)
    ends = EIGHT + timedelta(days=3)
    missed = [missed_polls(polls[:number], EIGHT, ends) for number in range(len(polls) + 1)]
    assert missed[0] == 3 * 96 - 1
    assert all(before >= after for before, after in zip(missed, missed[1:], strict=False))


def expressions() -> list[str]:
    """Return all expressions in the dashboard and the alert rules."""
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text(encoding="utf-8"))
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    found += [variable.get("definition", "") for variable in dashboard["templating"]["list"]]
    rules = (DEPLOY / "prometheus-rules.yml").read_text(encoding="utf-8")
    return [*found, *re.findall(r"expr:\s*(?:>-\n)?((?:.+\n)+?)\s+(?:for|labels):", rules)]


def test_dashboard_and_rules_name_only_existing_metrics_with_their_labels() -> None:
    labels = {metric.full_name: set(metric.labels) for metric in Metric}
    used = set()
    for expression in expressions():
        for name, matchers in re.findall(r"(teaching_lab_\w+)(?:\{([^}]*)\})?", expression):
            used.add(name)
            assert name in labels
            assert set(re.findall(r"(\w+)\s*=", matchers)) <= labels[name], expression
    assert used == {*labels}, "every metric is in the dashboard or in a rule"


def test_the_dashboard_can_be_provisioned_for_any_data_source() -> None:
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text(encoding="utf-8"))
    panels = dashboard["panels"]
    sources = {json.dumps(one["datasource"]) for panel in panels for one in (panel, *panel["targets"])}
    assert sources == {json.dumps({"type": "prometheus", "uid": "${datasource}"})}
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert "__inputs" not in dashboard

"""Reading a cluster's events: all pages, within the time limit, and for a cluster unknown to the workspace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from enforcer.domain.quota import Restrict, Stop
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.tick.run import TickResult, run_tick
from enforcer.workspace.client import Workspace
from fake_mail_service import FakeMailService
from in_process_course import SETTINGS, InProcessCourse
from labkit.clock import Deadline
from labkit.extras.sdk import InvalidParameterValue

M, DAY = timedelta(minutes=1), timedelta(days=1)
EVENTS = "/api/2.1/clusters/events"
Answer = Callable[[dict[str, Any], Any], Any]


@pytest.fixture
def lab() -> InProcessCourse:
    return InProcessCourse(2, soft=150 * M, hard=180 * M)


class Timer:
    """A timer that advances with each request for events."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def events_answered(workspace: Workspace, answer: Answer) -> None:
    """From now on, let `answer` respond to event requests; it receives the request and the usual response."""
    do = workspace.api.do

    def change(method: str, path: str, query: Any = None, body: Any = None, **others: Any) -> Any:
        if path != EVENTS:
            return do(method, path, query=query, body=body, **others)
        return answer(body, lambda: do(method, path, query=query, body=body, **others))

    workspace.api.do = change  # type: ignore[method-assign, assignment]


def tick(ledger: Ledger, lab: InProcessCourse, workspace: Workspace, deadline: Deadline | None = None) -> TickResult:
    return run_tick(SETTINGS, ledger, workspace, FakeMailService(), now=lab.now(), deadline=deadline or Deadline(M))


def kinds(result: TickResult) -> list[type]:
    return [type(action) for action in result.actions]


def only_tokens(body: dict[str, Any], usual: Any) -> Any:
    return {name: value for name, value in usual().items() if name not in ("next_page", "total_count")}


def test_events_are_read_to_the_last_page_by_page_tokens(lab: InProcessCourse) -> None:
    workspace, id = lab.connect(), lab.clusters[0]
    for _ in range(300):
        lab.workspace.post("pin", id)
        lab.workspace.post("unpin", id)
        lab.workspace.advance(1)
    lab.start(id)
    lab.workspace.advance(60)
    events_answered(workspace, only_tokens)

    reported = workspace.events(id, None)

    assert (len(reported), reported[-2].event.type) == (len(lab.workspace.events(id)), "RUNNING")
    assert [one.event.at for one in reported] == sorted(one.event.at for one in reported)


def denied(body: dict[str, Any], usual: Any) -> Any:
    raise InvalidParameterValue(f"Cluster {body['cluster_id']} does not exist")


def test_a_listed_cluster_without_readable_events_is_not_marked_gone(ledger: Ledger, lab: InProcessCourse) -> None:
    workspace, id = lab.connect(), lab.clusters[0]
    lab.start(id)
    lab.workspace.advance(181 * 60)
    events_answered(workspace, denied)

    result = tick(ledger, lab, workspace)

    assert (kinds(result), queries.clusters(ledger)[id].gone_at) == ([Restrict, Stop], None)
    said = " ".join(result.failures)
    assert all(f"cluster {one} is unknown to the workspace" in said for one in lab.clusters)
    assert result.snapshot and result.snapshot.sessions[id][-1].estimate


def endless(timer: Timer) -> Answer:
    """Endless pages of old events in both paging forms. Each page takes a second."""

    def answer(body: dict[str, Any], usual: Any) -> Any:
        timer.now += 1
        assert timer.now < 100, "the pages are read without a time limit"
        first = {"cluster_id": body["cluster_id"], "timestamp": 1_700_000_000_000, "type": "RUNNING", "details": {}}
        next_page = {"cluster_id": body["cluster_id"], "offset": int(timer.now)}
        return {"events": [first], "next_page_token": str(timer.now), "next_page": next_page, "total_count": 10**6}

    return answer


def test_endless_event_pages_do_not_prevent_other_stops(
    ledger: Ledger, lab: InProcessCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, timer, id = lab.connect(), Timer(), lab.clusters[0]
    lab.start(id)
    lab.workspace.advance(181 * 60)
    events_answered(workspace, endless(timer))
    monkeypatch.setattr("enforcer.workspace.client.Deadline", lambda budget: Deadline(budget, timer=timer))

    result = tick(ledger, lab, workspace, Deadline(timedelta(seconds=30), timer=timer))

    assert kinds(result) == [Restrict, Stop]
    assert timer.now <= 20
    assert result.snapshot and [s.estimate is not None for s in result.snapshot.sessions[id]][-1]
    assert any("have more pages than could be read in time" in failure for failure in result.failures)


def test_partially_read_events_are_read_first_at_the_next_poll(ledger: Ledger, lab: InProcessCourse) -> None:
    workspace, (other, id) = lab.connect(), lab.clusters
    tick(ledger, lab, workspace)
    lab.start(id)
    lab.start(other)
    lab.workspace.advance(60 * 60)
    asked: list[str] = []

    def cut_one(body: dict[str, Any], usual: Any) -> Any:
        asked.append(body["cluster_id"])
        answer = usual()
        is_cut = body["cluster_id"] == id and len(asked) <= 2
        return {"events": answer["events"][:1], "next_page_token": 7} if is_cut else answer

    events_answered(workspace, cut_one)
    first = tick(ledger, lab, workspace)
    asked.clear()
    asked += ["", ""]
    lab.workspace.advance(60)

    second = tick(ledger, lab, workspace)

    assert any("next_page_token is not a string" in failure for failure in first.failures)
    assert (asked[2], second.failures) == (id, ())
    assert second.snapshot and [s.estimate for s in second.snapshot.sessions[id]][-1] is None


def test_unknown_event_types_are_logged_once(
    ledger: Ledger, lab: InProcessCourse, caplog: pytest.LogCaptureFixture
) -> None:
    workspace, id = lab.connect(), lab.clusters[0]

    def with_news(body: dict[str, Any], usual: Any) -> Any:
        answer = usual()
        return answer | {"events": [*answer["events"], answer["events"][-1] | {"type": "A_TYPE_OF_TOMORROW"}]}

    events_answered(workspace, with_news)
    lab.start(id)
    lab.workspace.advance(60)
    for _ in range(2):
        tick(ledger, lab, workspace)
        lab.workspace.advance(60)

    assert [record.message for record in caplog.records if "A_TYPE" in record.message] == [
        "events of unknown types are ignored: A_TYPE_OF_TOMORROW"
    ]


def test_an_event_in_the_distant_future_is_ignored(ledger: Ledger, lab: InProcessCourse) -> None:
    workspace, id = lab.connect(), lab.clusters[0]

    def with_future(body: dict[str, Any], usual: Any) -> Any:
        answer = usual()
        late = answer["events"][-1] | {"timestamp": lab.workspace.now + 3 * 86_400_000, "type": "STARTING"}
        return answer | {"events": [*answer["events"], late]}

    events_answered(workspace, with_future)
    lab.start(id)
    lab.workspace.advance(181 * 60)

    result = tick(ledger, lab, workspace)

    assert (kinds(result), len(result.failures)) == ([Restrict, Stop], 2)

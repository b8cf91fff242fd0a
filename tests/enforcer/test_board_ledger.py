"""The board's facts from the ledger that ticks wrote, and the ticks' notes about the workspace around the lab."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from board_ledger import fill
from enforcer.board.assemble import make_board
from enforcer.board.facts import gather
from enforcer.board.html import render_board
from enforcer.board.model import Board, State
from enforcer.board.page import NoCourseError, board_page
from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.observations import OtherCluster
from enforcer.domain.quota import Quota
from enforcer.ledger import queries, stored_messages
from enforcer.ledger.database import Ledger
from enforcer.operations.board_file import BoardFile
from enforcer.tick.run import run_tick
from enforcer.tick.workspace_notes import OTHER_CLUSTERS, other_clusters, users_without_group
from enforcer.workspace.client import Workspace
from fake_mail_service import FakeMailService
from in_process_course import SETTINGS, STAFF, InProcessCourse
from labkit.clock import Deadline

M = timedelta(minutes=1)


@pytest.fixture
def lab() -> InProcessCourse:
    return InProcessCourse(3, soft=150 * M, hard=180 * M, week=600 * M)


def tick(ledger: Ledger, workspace: Workspace, now: datetime, *, settles: bool = False) -> None:
    run_tick(SETTINGS, ledger, workspace, FakeMailService(), now=now, deadline=Deadline(M), settles=settles)


def board_of(ledger: Ledger, now: datetime) -> Board:
    return make_board(gather(ledger, SETTINGS, now=now))


def test_the_board_shows_what_the_ticks_saw_and_did(ledger: Ledger, lab: InProcessCourse) -> None:
    workspace = lab.connect()
    lab.start(lab.clusters[0])
    lab.workspace.advance(100 * 60)
    lab.start(lab.clusters[1])
    lab.workspace.advance(81 * 60)
    tick(ledger, workspace, lab.now())
    lab.workspace.advance(60)
    tick(ledger, workspace, lab.now())
    lab.workspace.advance(5 * 60)

    board = board_of(ledger, lab.now())

    assert [(one.group.title, one.is_counting) for one in board.running] == [("Team 2", True)]
    first, second, third = board.groups
    assert (first.state, first.is_restricted, first.used // M) == (State.OVER, True, 180)
    assert (second.state, second.used // M, second.week and second.week.used) == (State.USUAL, 86, second.used)
    assert (third.used, third.is_running) == (timedelta(), False)
    assert [(entry.group.name, entry.kind) for entry in board.stops] == [("group_001", "stop")]
    assert (board.health.is_late, board.health.lag, board.health.restricted) == (False, 5 * M, 1)
    assert (board.title, board.course, board.as_of == board.made_at) == ("Lab", "94290", True)


def test_after_a_long_silence_the_figures_are_those_of_the_last_poll(ledger: Ledger, lab: InProcessCourse) -> None:
    lab.start(lab.clusters[0])
    lab.workspace.advance(60 * 60)
    polled = lab.now()
    tick(ledger, lab.connect(), polled)

    board = board_of(ledger, polled + 5 * 60 * M)

    assert (board.groups[0].used // M, board.as_of, board.health.is_late) == (59, polled, True)
    assert board.gaps[0].missed == 19


def test_a_settled_day_stays_on_the_board(ledger: Ledger, lab: InProcessCourse) -> None:
    workspace = lab.connect()
    lab.start(lab.clusters[0])
    lab.workspace.advance(60 * 60)
    lab.stop(lab.clusters[0])
    lab.workspace.advance(24 * 3600)
    tick(ledger, workspace, lab.now(), settles=True)

    facts = gather(ledger, SETTINGS, now=lab.now())
    board = make_board(facts)

    assert sum(used > timedelta() for used in facts.settled.values()) == 1
    assert (board.groups[0].used, board.heat[0].cells[-1].used // M) == (timedelta(), 59)


def test_ticks_note_running_clusters_of_others_without_names_of_people(ledger: Ledger, lab: InProcessCourse) -> None:
    workspace = lab.connect()
    tick(ledger, workspace, lab.now())
    assert other_clusters(ledger) == ()
    names = ("Ana's Cluster", "etl", "dana@campus.example shared", "idle")
    ids = [lab.workspace.create(None, cluster_name=name, autotermination_minutes=0) for name in names]
    lab.workspace.advance(60)
    lab.stop(ids[-1])
    lab.workspace.advance(60)
    tick(ledger, workspace, lab.now())

    found = other_clusters(ledger)

    assert found is not None and all(one.started for one in found)
    assert sorted(replace(one, id="", started=None).label for one in found) == [
        "a person's cluster",
        "a person's cluster",
        "etl",
    ]
    assert board_of(ledger, lab.now()).others == found
    for id in ids:
        lab.stop(id)
    lab.workspace.advance(60)
    tick(ledger, workspace, lab.now())
    assert other_clusters(ledger) == ()


def test_job_clusters_stay_noted_while_ticks_do_not_list_them(ledger: Ledger, lab: InProcessCourse) -> None:
    workspace = lab.connect()
    tick(ledger, workspace, lab.now())
    job = OtherCluster("1103-1-job", "nightly", "", None, is_job=True)
    queries.write_note(ledger, OTHER_CLUSTERS, json.dumps([[job.id, job.label, job.course, None, True]]))
    lab.workspace.advance(60)
    tick(ledger, workspace, lab.now())
    assert other_clusters(ledger) == (job,)
    lab.workspace.advance(4 * 3600)
    tick(ledger, workspace, lab.now())
    assert other_clusters(ledger) == ()


def test_the_number_of_users_in_no_group_is_unknown_until_users_are_read(ledger: Ledger, lab: InProcessCourse) -> None:
    assert users_without_group(ledger) is None
    lab.workspace.create_user("stranger@campus.example")
    lab.workspace.create_user(STAFF)
    tick(ledger, lab.connect(), lab.now())
    assert users_without_group(ledger) == 1, "the course's staff are not counted"


def test_failed_messages_are_those_given_up_or_being_retried(ledger: Ledger, lab: InProcessCourse) -> None:
    now = lab.now()

    def add(topic: str) -> int:
        stored_messages.add(
            ledger,
            topic,
            MessageKind.WARNING,
            topic,
            period="day",
            period_start="2026-11-02",
            hard_limit=M,
            part=0,
            subject="",
            request_body="{}",
            now=now,
            given_up=None,
        )
        return stored_messages.due(ledger, now=now, put_off=now)[-1][0]

    waiting, failing, given_up, superseded = map(add, ("a", "b", "c", "d"))
    stored_messages.note_failure(
        ledger, failing, "429", now=now, failing=M, until=now + 9 * M, is_outcome_unknown=False
    )
    stored_messages.note_failure(ledger, given_up, "no", now=now, failing=M, until=now, is_outcome_unknown=False)
    stored_messages.give_up(ledger, [given_up], now=now)
    stored_messages._update(ledger, superseded, given_up_at=1 << 50, error=stored_messages.UNTRUE)

    found = stored_messages.failed_messages(ledger, since=now - M)

    assert [(one.about, one.is_given_up, one.error) for one in found] == [("b", False, "429"), ("c", True, "no")]
    assert stored_messages.failed_messages(ledger, since=now + M) == found[:1]
    assert stored_messages.waiting_count(ledger) == 2 and waiting


def test_an_empty_ledger_has_no_board(ledger: Ledger, lab: InProcessCourse) -> None:
    with pytest.raises(NoCourseError):
        board_page(ledger, SETTINGS, now=lab.now())


def test_the_file_of_lab_board_is_private_and_replaced(ledger: Ledger, lab: InProcessCourse, tmp_path: Path) -> None:
    path = tmp_path / "lab.html"
    file = BoardFile(replace(SETTINGS, board=path))
    file.refresh(ledger, now=lab.now())
    assert not path.exists()
    tick(ledger, lab.connect(), lab.now())
    file.refresh(ledger, now=lab.now())
    assert (path.stat().st_mode & 0o777, "Team 3" in path.read_text()) == (0o600, True)


def test_a_board_that_cannot_be_written_is_logged_once_an_hour(
    ledger: Ledger, lab: InProcessCourse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tick(ledger, lab.connect(), lab.now())
    file = BoardFile(replace(SETTINGS, board=tmp_path / "missing" / "lab.html"))
    with caplog.at_level(logging.WARNING):
        for minutes in (0, 1, 59, 61, 62):
            file.refresh(ledger, now=lab.now() + minutes * M)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        f"LAB_BOARD {tmp_path}/missing/lab.html cannot be written"
    ] * 2


def test_a_lab_without_a_course_file_has_a_board(ledger: Ledger) -> None:
    lab = InProcessCourse(2, soft=150 * M, hard=180 * M, has_file=False)
    settings = replace(SETTINGS, fallback_quota=Quota(30 * M, 60 * M))
    lab.start(lab.clusters[1])
    lab.workspace.advance(45 * 60)
    tick(ledger, lab.connect(), lab.now())

    page = board_page(ledger, settings, now=lab.now())
    board = make_board(gather(ledger, settings, now=lab.now()))

    assert [(use.group.name, use.state, use.used // M) for use in board.groups] == [
        ("group_001", State.USUAL, 0),
        ("group_002", State.NEAR, 44),
    ]
    assert (len(board.weeks), board.heat[1].cells[-1].used // M, "near the limit" in page) == (1, 44, True)


@pytest.mark.parametrize(
    ("first", "last"), [("2026-11-20", "2027-01-31"), ("2026-09-01", "2026-10-20")], ids=["before", "after"]
)
def test_outside_the_term_the_board_still_shows_today(
    ledger: Ledger, lab: InProcessCourse, first: str, last: str
) -> None:
    lab.write_course(first_day=first, last_day=last)
    lab.start(lab.clusters[0])
    lab.workspace.advance(45 * 60)
    tick(ledger, lab.connect(), lab.now())

    board = board_of(ledger, lab.now())

    use = board.groups[0]
    assert (use.used // M, use.day and use.day.used, use.week and use.week.used) == (44, use.used, use.used)
    assert (board.heat[0].cells[-1].used, sum(week.is_current for week in board.weeks)) == (use.used, 1)
    assert board.burn_down.used_by_day[-1][1] == use.used
    assert "Team 1" in render_board(board)


def test_a_stored_lab_gives_the_board_of_its_facts(ledger: Ledger) -> None:
    facts = fill(ledger)
    settings = replace(SETTINGS, course=facts.snapshot.course.id, term=facts.snapshot.course.term)

    gathered = gather(ledger, settings, now=facts.made_at)

    assert gathered.snapshot.sessions == facts.snapshot.sessions
    # The ledger has the polls of the last days, which the demo starts with.
    expected = replace(
        facts,
        failed_messages=(),
        waiting_messages=0,
        others=None,
        users_without_group=None,
        first_poll=facts.polls[0].began,
    )
    assert make_board(gathered, with_names=True) == make_board(expected, with_names=True)

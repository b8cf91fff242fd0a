"""One tick in this process, which collects, decides, carries out and sends, and its results if the workspace fails."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.quota import Level, Restore, Restrict, Stop, Warn
from enforcer.ledger import queries, stored_messages
from enforcer.ledger.database import Ledger, open_copy
from enforcer.mail import outbox
from enforcer.mail.messages import Message
from enforcer.settings import Settings, load_settings
from enforcer.tick.collect import collect, read_levels
from enforcer.tick.run import TickResult, plan_tick, run_tick
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import UnreachableError, WorkspaceError
from fake_mail_service import FakeMailService
from in_process_course import FOLDER, SETTINGS, InProcessCourse
from labkit.clock import Deadline

M, DAY = timedelta(minutes=1), timedelta(days=1)
SETTINGS_WITH_MAIL = replace(
    load_settings(
        {
            "AZURE_EMAIL_CONNECTION_STRING": "endpoint=https://x;accesskey=eA==",
            "AZURE_EMAIL_SENDER": "lab@campus.example",
        }
    ),
    course=SETTINGS.course,
    term=SETTINGS.term,
)
OFF = "Lab: the cluster of Team 1 is off, its limit is reached"


@pytest.fixture
def lab() -> InProcessCourse:
    return InProcessCourse(2, soft=150 * M, hard=180 * M)


def tick(
    ledger: Ledger,
    workspace: Workspace | WorkspaceError,
    now: datetime,
    *,
    mail: FakeMailService | None = None,
    **more: Any,
) -> TickResult:
    settings: Settings = SETTINGS_WITH_MAIL
    return run_tick(settings, ledger, workspace, mail or FakeMailService(), now=now, deadline=Deadline(M), **more)


def kinds(result: TickResult) -> list[type]:
    return [type(action) for action in result.actions]


def test_a_group_past_its_limit_is_restricted_stopped_and_notified(ledger: Ledger, lab: InProcessCourse) -> None:
    workspace, mail = lab.connect(), FakeMailService()
    over, near = lab.clusters
    lab.start(over)
    lab.workspace.advance(21 * 60)
    lab.start(near)
    lab.workspace.advance(160 * 60)

    result = tick(ledger, workspace, lab.now(), mail=mail)

    assert (kinds(result), result.failures, result.workspace_error) == ([Restrict, Stop, Warn], (), None)
    assert [lab.workspace.state(over), lab.workspace.state(near)] == ["TERMINATING", "RUNNING"]
    assert [lab.level(over), lab.level(near)] == ["CAN_ATTACH_TO", "CAN_RESTART"]
    # A start takes two seconds, so 21 minutes are not fully used up yet.
    assert mail.subjects == [OFF, "Lab: 21 minutes of cluster time left for Team 2"]
    done = queries.actions_on(ledger, lab.now().date())
    assert [(action.kind, action.done, action.error) for action in done] == [
        ("restrict", lab.now(), None),
        ("stop", lab.now(), None),
        ("warn", lab.now(), None),
    ]
    assert queries.last_poll(ledger) == lab.now()


def test_the_next_tick_repeats_nothing_and_the_next_day_restores(ledger: Ledger, lab: InProcessCourse) -> None:
    workspace, mail = lab.connect(), FakeMailService()
    lab.start(lab.clusters[0])
    lab.workspace.advance(181 * 60)
    tick(ledger, workspace, lab.now(), mail=mail)
    lab.workspace.advance(60)
    again = tick(ledger, workspace, lab.now(), mail=mail)
    lab.workspace.advance(24 * 3600)

    restored = tick(ledger, workspace, lab.now(), mail=mail)

    assert (kinds(again), kinds(restored), mail.subjects) == ([], [Restore], [OFF])
    assert lab.level(lab.clusters[0]) == "CAN_RESTART"


def test_permissions_that_may_have_to_change_are_read_first(ledger: Ledger, lab: InProcessCourse) -> None:
    lab.start(lab.clusters[1])
    lab.workspace.advance(181 * 60)
    workspace = lab.connect()
    snapshot = collect(ledger, workspace, SETTINGS, now=lab.now())

    levels, problems = read_levels(ledger, workspace, snapshot)

    assert (list(levels.items()), problems) == (
        [(lab.clusters[1], Level.RESTART), (lab.clusters[0], Level.RESTART)],
        [],
    )


def test_permissions_without_time_are_one_problem_and_read_again(ledger: Ledger, lab: InProcessCourse) -> None:
    workspace = lab.connect()
    snapshot = collect(ledger, workspace, SETTINGS, now=lab.now())
    with workspace.read_budget(Deadline(timedelta())):
        late = read_levels(ledger, workspace, snapshot)

    assert late == (
        {},
        ["there was no time to read the permissions of 2 of 2 clusters; they are read at the next poll"],
    )
    assert read_levels(ledger, workspace, snapshot) == (dict.fromkeys(lab.clusters, Level.RESTART), [])


WORK = {"weekdays": ["Sunday", "Monday", "Tuesday"], "hours": "08:00-18:00"}
WARNING = "Lab: {left} minutes of cluster time left for Team {team}"


def entry(kind: str, first: str, last: str, effect: str, **more: object) -> dict[str, object]:
    return {"kind": kind, "title": "", "first_day": first, "last_day": last, "effect": effect, **more}


def test_a_blackout_stops_and_restricts_a_group_until_it_ends(ledger: Ledger, lab: InProcessCourse) -> None:
    blackout = entry("blackout", "2026-11-02", "2026-11-02", "blocked", groups=["group_001"])
    lab.write_course(calendar=[blackout])
    workspace, mail = lab.connect(), FakeMailService()
    for cluster in lab.clusters:
        lab.start(cluster)
    lab.workspace.advance(60)

    stopped = tick(ledger, workspace, lab.now(), mail=mail)
    lab.workspace.advance(24 * 3600)
    restored = tick(ledger, workspace, lab.now(), mail=mail)

    assert (kinds(stopped), [action.group for action in stopped.actions]) == ([Restrict, Stop], ["group_001"] * 2)
    assert [(type(one), one.group) for one in restored.actions if one.group == "group_001"] == [(Restore, "group_001")]
    assert mail.subjects[:1] == [OFF]


def test_a_class_does_not_count_and_no_cluster_is_stopped_in_it(ledger: Ledger, lab: InProcessCourse) -> None:
    lab.write_course(
        calendar=[entry("class", "2026-10-18", "2027-01-29", "free", weekday="Monday", hours="09:00-17:00")]
    )
    workspace, cluster = lab.connect(), lab.clusters[0]
    lab.workspace.advance(3600)
    lab.start(cluster)
    lab.workspace.advance(7 * 3600)
    in_class = tick(ledger, workspace, lab.now())
    lab.workspace.advance(4 * 3600 + 60)

    after = tick(ledger, workspace, lab.now())

    assert (kinds(in_class), kinds(after)) == ([], [Restrict, Stop])


def test_a_warning_waits_for_working_hours_but_not_if_a_stop_is_near(ledger: Ledger) -> None:
    lab = InProcessCourse(2, soft=600 * M, hard=600 * M, week=150 * M)
    lab.limits["soft_minutes"] = 560
    lab.write_course(working_hours=WORK)
    workspace, mail = lab.connect(), FakeMailService()
    lab.workspace.advance(13 * 3600)  # 21:00
    idle, running = lab.clusters
    for cluster in (idle, running):
        lab.start(cluster)
    lab.workspace.advance(115 * 60)
    lab.stop(idle)
    lab.workspace.advance(60)

    at_night = tick(ledger, workspace, lab.now(), mail=mail)
    lab.stop(running)
    lab.workspace.advance(10 * 3600)
    in_the_morning = tick(ledger, workspace, lab.now(), mail=mail)

    assert [(type(one), one.group) for one in at_night.actions] == [(Warn, "group_002")]
    assert [(type(one), one.group) for one in in_the_morning.actions] == [(Warn, "group_001")]
    assert mail.subjects == [WARNING.format(left=35, team=2), WARNING.format(left=36, team=1)]


def test_a_stop_never_waits_for_working_hours(ledger: Ledger, lab: InProcessCourse) -> None:
    lab.write_course(working_hours=WORK, calendar=[entry("holiday", "2026-11-01", "2026-11-30", "usual")])
    lab.start(lab.clusters[0])
    lab.workspace.advance(181 * 60)
    mail = FakeMailService()

    assert kinds(tick(ledger, lab.connect(), lab.now(), mail=mail)) == [Restrict, Stop]
    assert mail.subjects == [OFF]


def waiting_letter(ledger: Ledger, now: datetime) -> None:
    message = Message("It waits", "text", "<p>text</p>", ("dana@campus.example",))
    outbox.queue(ledger, MessageKind.REPORT, "a day", message, now=now)


def test_messages_are_sent_although_the_workspace_is_unusable(ledger: Ledger, lab: InProcessCourse) -> None:
    waiting_letter(ledger, lab.now())
    error, mail = UnreachableError("the workspace does not answer"), FakeMailService()

    result = tick(ledger, error, lab.now(), mail=mail)

    assert result == TickResult(problems=(str(error),), workspace_error=error)
    assert (mail.subjects, stored_messages.waiting_count(ledger), queries.last_poll(ledger)) == (["It waits"], 0, None)


def test_a_workspace_that_cannot_list_its_clusters_is_unusable(
    ledger: Ledger, lab: InProcessCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting_letter(ledger, lab.now())
    workspace, mail = lab.connect(), FakeMailService()
    lab.workspace.emulated.state.directory.groups.clear()
    monkeypatch.setattr(workspace.api, "do", _refuse)

    result = tick(ledger, workspace, lab.now(), mail=mail)

    assert (str(result.workspace_error), result.snapshot) == ("the list of clusters: no", None)
    assert mail.subjects == ["It waits"]


def _refuse(*_: object, **__: object) -> Any:
    raise TimeoutError("no")


def test_a_failed_message_does_not_prevent_a_stop(ledger: Ledger, lab: InProcessCourse) -> None:
    workspace, mail = lab.connect(), FakeMailService(plan=["refused"])
    lab.start(lab.clusters[0])
    lab.workspace.advance(181 * 60)

    result = tick(ledger, workspace, lab.now(), mail=mail)

    assert lab.workspace.state(lab.clusters[0]) == "TERMINATING"
    assert (result.problems, result.message_failures) == ((), (f'the message "{OFF}" was not sent: no',))


def test_a_plan_has_the_actions_of_a_tick_and_changes_nothing(ledger_location: str, lab: InProcessCourse) -> None:
    workspace = lab.connect()
    lab.start(lab.clusters[0])
    lab.workspace.advance(181 * 60)
    with closing(open_copy(ledger_location)) as copy:
        planned = plan_tick(SETTINGS, copy, workspace, now=lab.now())

    assert (kinds(planned), lab.workspace.state(lab.clusters[0])) == ([Restrict, Stop], "RUNNING")
    assert lab.level(lab.clusters[0]) == "CAN_RESTART"


def test_every_past_day_is_settled_by_a_settling_tick(ledger: Ledger, lab: InProcessCourse) -> None:
    workspace = lab.connect()
    monday = lab.now().date()
    lab.start(lab.clusters[0])
    lab.workspace.advance(60 * 60)
    lab.workspace.post("delete", lab.clusters[0])
    tick(ledger, workspace, lab.now())
    lab.workspace.advance(2 * 24 * 3600)

    result = tick(ledger, workspace, lab.now(), settles=True)
    again = tick(ledger, workspace, lab.now() + M, settles=True)

    assert (result.settled_days, again.settled_days, result.failures) == ((monday, monday + DAY), (), ())
    settled = queries.settled(ledger, monday)
    assert {id: total.used // M for id, total in settled.items()} == {lab.clusters[0]: 59, lab.clusters[1]: 0}
    assert f"{FOLDER}/settled.json" in [file.path for file in workspace.files(FOLDER)]


def test_no_day_after_up_to_is_settled(ledger: Ledger, lab: InProcessCourse, tmp_path: Path) -> None:
    workspace = lab.connect()
    monday = lab.now().date()
    lab.start(lab.clusters[0])
    lab.workspace.advance(60)
    tick(ledger, workspace, lab.now())
    lab.workspace.advance(3 * 24 * 3600)

    assert tick(ledger, workspace, lab.now(), settles=True, up_to=monday).settled_days == (monday,)


def test_the_last_day_of_a_destroyed_lab_is_settled(ledger: Ledger, lab: InProcessCourse) -> None:
    workspace = lab.connect()
    lab.start(lab.clusters[0])
    lab.workspace.advance(3600)
    tick(ledger, workspace, lab.now())
    for id in lab.clusters:
        lab.workspace.post("permanent-delete", id)
    lab.workspace.call("POST", "/api/2.0/workspace/delete", {"path": FOLDER, "recursive": True})
    lab.workspace.advance(24 * 3600)

    result = tick(ledger, workspace, lab.now(), settles=True)

    assert (len(result.settled_days), result.failures) == (1, ())

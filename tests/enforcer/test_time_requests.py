"""Time requests from the group's file to the answer, in an emulated workspace in this process."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from emulator.api.errors import ApiError
from enforcer.domain.allowances import in_force
from enforcer.domain.observations import FileList
from enforcer.domain.quota import Level, Period, Restore, Warn
from enforcer.ledger.database import Ledger, empty_copy
from enforcer.settings import load_settings
from enforcer.tick.run import plan_tick
from enforcer.time_requests.answers import approval, denial
from enforcer.time_requests.decide import extension_id
from enforcer.time_requests.model import State, TimeRequest
from enforcer.time_requests.read import MOST_CHANGES_A_DAY, create_entry
from enforcer.workspace.errors import WorkspaceError
from fake_mail_service import FakeMailService
from in_process_course import FOLDER, SETTINGS
from request_lab import REQUESTS, RULE, M, RequestLab

pytestmark = pytest.mark.waits

WITH_MAIL = replace(
    load_settings(
        {
            "AZURE_EMAIL_CONNECTION_STRING": "endpoint=https://x;accesskey=eA==",
            "AZURE_EMAIL_SENDER": "lab@campus.example",
            "REPORT_RECIPIENT_EMAIL": "staff@campus.example",
        }
    ),
    course=SETTINGS.course,
    term=SETTINGS.term,
)


@pytest.fixture
def lab() -> RequestLab:
    return RequestLab()


def outcome(requests: tuple[TimeRequest, ...]) -> list[tuple[str, int | None, str, State, int | None]]:
    return [(one.group, one.minutes, one.reason, one.state, one.minutes_given) for one in requests]


def test_the_first_poll_makes_a_file_for_each_group(ledger: Ledger, lab: RequestLab) -> None:
    result = lab.poll(ledger)

    assert (result.failures, lab.listed(REQUESTS)) == ((), ["course-version.txt", "group_001.txt", "group_002.txt"])
    assert lab.text(lab.path("group_001"), lab.student("group_001")).startswith("# More time for your cluster: ")
    assert lab.poll(ledger).failures == ()
    assert lab.requests(ledger, result) == ()


def test_a_student_reads_and_edits_the_groups_file_and_no_other(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    student, own, others = lab.student("group_001"), lab.path("group_001"), lab.path("group_002")
    lab.save(own, "60 minutes", student)
    assert lab.text(own, student) == "60 minutes"

    def refused(method: str, path: str, body: Any = None) -> int:
        with pytest.raises(ApiError) as error:
            lab.workspace.call(method, path, body, student)
        return error.value.status

    content = {"content": "eA==", "format": "RAW", "overwrite": True}
    assert [
        refused("GET", f"/api/2.0/workspace/export?path={others}&format=AUTO"),
        refused("GET", f"/api/2.0/workspace/get-status?path={others}"),
        refused("GET", f"/api/2.0/workspace/export?path={REQUESTS}/course-version.txt&format=AUTO"),
        refused("GET", f"/api/2.0/workspace/list?path={REQUESTS}"),
        refused("POST", "/api/2.0/workspace/import", {"path": others, **content}),
        refused("POST", "/api/2.0/workspace/import", {"path": f"{REQUESTS}/new.txt", **content}),
        refused("POST", "/api/2.0/workspace/import", {"path": f"{FOLDER}/course.json", **content}),
        refused("POST", "/api/2.0/workspace/mkdirs", {"path": f"{REQUESTS}/folder"}),
        refused("POST", "/api/2.0/workspace/delete", {"path": own}),
    ] == [403] * 9


def test_a_small_request_is_granted_before_the_permission_is_given_back(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    cluster = lab.clusters[0]
    lab.start(cluster)
    lab.workspace.advance(181 * 60)
    lab.poll(ledger)
    assert lab.level(cluster) == "CAN_ATTACH_TO"
    lab.write_request("group_001", "30 minutes: the last experiment")

    result = lab.poll(ledger)

    assert [type(action) for action in result.actions] == [Restore, Warn]
    assert lab.level(cluster) == Level.RESTART.value
    assert lab.given == [f"{extension_id('group_001', date(2026, 11, 1), 1)}.json"]
    assert outcome(lab.requests(ledger, result)) == [
        ("group_001", 30, "the last experiment", State.GRANTED, 30),
    ]
    assert result.snapshot
    limits = {usage.limit.period: str(usage.limit) for usage in result.snapshot.limit_usages_of("group_001")}
    assert limits == {Period.DAY: "180 + 30 minutes: asked: the last experiment"}
    assert lab.text(lab.path("group_001")) == "30 minutes: the last experiment"
    following = lab.poll(ledger)
    assert (following.failures, following.actions) == ((), ())
    assert following.snapshot
    assert len(following.snapshot.allowances) == 1


def test_the_second_request_of_a_week_is_refused_with_the_next_time(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    lab.write_request("group_001", "20 minutes: one")
    lab.poll(ledger)
    lab.write_request("group_001", "20 minutes: two")
    result = lab.poll(ledger)
    first, second = lab.requests(ledger, result)

    assert (first.state, second.state) == (State.GRANTED, State.REFUSED)
    assert second.answer == "This week's extensions are used up (limit: 1). Ask again on Sunday, 2026-11-08 or later."
    lab.workspace.advance(6 * 24 * 3600)
    lab.write_request("group_001", "20 minutes: three")
    assert lab.requests(ledger, lab.poll(ledger))[-1].state is State.GRANTED


def test_saving_a_granted_request_again_grants_nothing_more(ledger: Ledger) -> None:
    lab = RequestLab(extensions=RULE | {"per_week": 5})
    lab.poll(ledger)
    for _ in range(3):
        lab.write_request("group_001", "20 minutes: demo")
        result = lab.poll(ledger)
    assert (len(lab.given), len(lab.requests(ledger, result))) == (1, 1)


@pytest.mark.parametrize(
    ("keys", "block", "answer"),
    [
        (
            {
                "calendar": [
                    {
                        "kind": "exam",
                        "title": "",
                        "first_day": "2026-11-02",
                        "last_day": "2026-11-03",
                        "effect": "usual",
                    }
                ]
            },
            False,
            "Nothing is granted automatically on days with these calendar entries: exam. "
            "Ask again on Wednesday, 2026-11-04 or later.",
        ),
        ({}, True, "The group is blocked today. Ask again on Tuesday, 2026-11-03 or later."),
    ],
)
def test_exam_days_and_blocked_days_refuse(ledger: Ledger, keys: dict[str, Any], block: bool, answer: str) -> None:
    lab = RequestLab(**keys)
    lab.poll(ledger)
    if block:
        lab.put(
            f"{FOLDER}/allowances/b.json",
            '{"version": 1, "id": "b", "group": "all", "first_day": "2026-11-02", "last_day": "2026-11-02",'
            ' "none": true, "reason": "x", "given_by": "t", "given_at": "2026-11-01T08:00:00+00:00"}',
        )
    lab.write_request("group_001", "20 minutes")
    (asked,) = lab.requests(ledger, lab.poll(ledger))
    assert (asked.state, asked.answer) == (State.REFUSED, answer)


def test_an_extension_never_raises_the_weeks_limit(ledger: Ledger) -> None:
    lab = RequestLab(hard=120 * M, week=150 * M)
    lab.poll(ledger)
    lab.start(lab.clusters[0])
    lab.workspace.advance(119 * 60)
    lab.poll(ledger)
    lab.write_request("group_001", "30 minutes")
    result = lab.poll(ledger)
    assert result.snapshot
    limits = {usage.limit.period: usage.limit.hard for usage in result.snapshot.limit_usages_of("group_001")}
    assert limits == {Period.DAY: 150 * M, Period.WEEK: 150 * M}


def test_nothing_is_granted_beyond_what_the_week_has_left(ledger: Ledger) -> None:
    lab = RequestLab(hard=120 * M, week=140 * M)
    lab.poll(ledger)
    lab.start(lab.clusters[0])
    lab.workspace.advance(120 * 60)
    lab.write_request("group_001", "30 minutes")
    (asked,) = lab.requests(ledger, lab.poll(ledger))
    assert (asked.state, lab.given) == (State.REFUSED, [])
    assert asked.answer == "Only 19 minutes are left of the week's limit. Ask again on Sunday, 2026-11-08 or later."


def test_a_larger_request_waits_for_staff_and_is_mailed_once_an_hour(ledger: Ledger, lab: RequestLab) -> None:
    mail = FakeMailService()
    lab.poll(ledger, mail=mail, settings=WITH_MAIL)
    lab.write_request("group_001", "60 minutes: project deadline")
    result = lab.poll(ledger, mail=mail, settings=WITH_MAIL)
    lab.write_request("group_002", "2 hours")
    lab.poll(ledger, mail=mail, settings=WITH_MAIL)
    assert outcome(lab.requests(ledger, result))[0] == ("group_001", 60, "project deadline", State.WAITING, None)
    assert mail.subjects == ["Lab: 1 group asks for more time"]

    lab.workspace.advance(3600)
    lab.poll(ledger, mail=mail, settings=WITH_MAIL)
    lab.workspace.advance(3600)
    lab.poll(ledger, mail=mail, settings=WITH_MAIL)
    assert mail.subjects == ["Lab: 1 group asks for more time", "Lab: 2 groups ask for more time"]


def test_an_approval_is_an_allowance_whose_id_is_derived_from_the_request(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    lab.write_request("group_001", "60 minutes: project deadline")
    (asked,) = lab.requests(ledger, lab.poll(ledger))
    today = lab.now().date()
    allowance = approval(asked, 45, first_day=today, last_day=today, given_by="t@lab", now=lab.now())
    workspace = lab.connect()
    create_entry(workspace, FOLDER, allowance)
    with pytest.raises(WorkspaceError, match="already exists"):
        create_entry(workspace, FOLDER, replace(allowance, given_by="u@lab"))

    result = lab.poll(ledger)

    assert lab.given == [f"asked-{asked.id}.json"]
    assert outcome(lab.requests(ledger, result)) == [("group_001", 60, "project deadline", State.APPROVED, 45)]
    assert result.snapshot
    assert [str(one) for one in result.snapshot.allowances] == ["+ 45 minutes: asked: project deadline"]


def test_a_denial_wins_over_an_approval_by_another_machine(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    lab.write_request("group_001", "60 minutes")
    (asked,) = lab.requests(ledger, lab.poll(ledger))
    today = lab.now().date()
    entries = (
        approval(asked, 60, first_day=today, last_day=today, given_by="t@lab", now=lab.now()),
        denial(asked, "not before the exam", given_by="u@lab", now=lab.now()),
    )
    assert in_force(entries) == ()
    for entry in entries:
        create_entry(lab.connect(), FOLDER, entry)
    result = lab.poll(ledger)
    (answered,) = lab.requests(ledger, result)
    assert (answered.state, answered.answer) == (State.DENIED, "not before the exam")
    assert result.snapshot
    assert result.snapshot.allowances == ()


def test_an_unanswered_request_expires(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    lab.write_request("group_001", "60 minutes")
    lab.poll(ledger)
    lab.workspace.advance(7 * 24 * 3600)
    (asked,) = lab.requests(ledger, lab.poll(ledger))
    assert (asked.state, asked.answer) == (
        State.EXPIRED,
        "Nobody answered in time; ask again if you still need the time.",
    )


def test_a_changed_file_withdraws_the_request_before_it(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    lab.write_request("group_001", "60 minutes: one")
    lab.poll(ledger)
    lab.write_request("group_001", "70 minutes: two")
    result = lab.poll(ledger)
    assert [one.state for one in lab.requests(ledger, result)] == [State.WITHDRAWN, State.WAITING]
    lab.write_request("group_001", "# nothing")
    result = lab.poll(ledger)
    assert [one.state for one in lab.requests(ledger, result)] == [State.WITHDRAWN, State.WITHDRAWN]


def test_a_file_is_read_a_minute_after_it_was_saved(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    lab.save(lab.path("group_001"), "6", lab.student("group_001"))
    result = lab.poll(ledger)
    assert lab.requests(ledger, result) == ()
    lab.write_request("group_001", "60 minutes")
    assert [one.minutes for one in lab.requests(ledger, lab.poll(ledger))] == [60]


def test_a_grant_that_cannot_be_written_grants_nothing(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    lab.write_request("group_001", "30 minutes")
    workspace = lab.connect()
    write = workspace.write

    def fail(path: str, text: str, *, overwrite: bool = False) -> None:
        if "/allowances/" in path:
            raise WorkspaceError(f"{path}: the disk is full")
        write(path, text, overwrite=overwrite)

    workspace.write = fail  # type: ignore[method-assign]
    result = lab.poll(ledger, workspace=workspace)
    assert len(result.failures) == 1
    assert result.failures[0].startswith(f"the extension of group_001 is not granted: {FOLDER}/allowances/extension-")
    assert result.snapshot
    assert result.snapshot.allowances == ()
    assert [one.state for one in lab.requests(ledger, result)] == [State.WAITING]
    assert [one.state for one in lab.requests(ledger, lab.poll(ledger))] == [State.GRANTED]


def test_two_ledgers_on_one_workspace_grant_a_request_once(ledger: Ledger, lab: RequestLab) -> None:
    other = empty_copy()
    lab.poll(ledger)
    lab.poll(other)
    lab.write_request("group_001", "30 minutes: demo")
    stale = lab.connect()
    first = lab.poll(ledger)
    # The other machine listed the allowances before the first one created the file.
    files = stale.files
    stale.files = lambda folder: FileList() if folder.endswith("/allowances") else files(folder)  # type: ignore[method-assign]
    lab.poll(other, workspace=stale)
    second = lab.poll(other)
    assert len(lab.given) == 1
    assert outcome(lab.requests(ledger, first)) == outcome(lab.requests(other, second))
    assert first.snapshot and second.snapshot
    assert first.snapshot.limit_usages_of("group_001") == second.snapshot.limit_usages_of("group_001")
    other.close()


def test_a_new_ledger_learns_answers_from_the_allowances(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    lab.write_request("group_001", "30 minutes: demo")
    lab.poll(ledger)
    lab.write_request("group_001", "# thank you")
    lab.poll(ledger)
    other = empty_copy()
    assert outcome(lab.requests(other, lab.poll(other))) == [("group_001", 30, "demo", State.GRANTED, 30)]
    other.close()


def test_a_plan_grants_without_writing(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    lab.write_request("group_001", "30 minutes")
    planned = plan_tick(SETTINGS, ledger, lab.connect(), now=lab.now())
    assert planned.snapshot
    assert (len(planned.snapshot.allowances), lab.given) == (1, [])


def test_an_unreadable_request_is_answered(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    lab.write_request("group_001", "please help us")
    lab.write_request("group_002", b"60 minutes" + b"!" * 5000)
    workspace = lab.connect()
    result = lab.poll(ledger, workspace=workspace)
    assert [(one.group, one.state, one.answer.partition(";")[0]) for one in lab.requests(ledger, result)] == [
        ("group_001", State.REFUSED, "The file does not contain a number of minutes"),
        ("group_002", State.REFUSED, "The file is too large"),
    ]
    assert workspace.calls["workspace/export"] == 1


def test_a_file_that_changes_too_often_is_read_again_the_next_day(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    for number in range(MOST_CHANGES_A_DAY + 3):
        lab.write_request("group_001", f"{number + 40} minutes")
        result = lab.poll(ledger)
    requests = lab.requests(ledger, result)
    assert Counter(one.state for one in requests) == {State.WITHDRAWN: MOST_CHANGES_A_DAY, State.REFUSED: 1}
    assert requests[-1].answer == "The file changed 20 times today; it is read again tomorrow."
    lab.workspace.advance(24 * 3600)
    assert lab.requests(ledger, lab.poll(ledger))[-1].minutes == MOST_CHANGES_A_DAY + 42


def test_a_deleted_file_is_made_again(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    lab.workspace.call("POST", "/api/2.0/workspace/delete", {"path": lab.path("group_001")})
    assert lab.poll(ledger).failures == ()
    lab.write_request("group_001", "60 minutes")
    assert [one.minutes for one in lab.requests(ledger, lab.poll(ledger))] == [60]


def test_a_new_principal_edits_the_file_in_place_of_the_former_one(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    new = lab.workspace.create_user("new@campus.example.ac.il")
    lab.workspace.group("Team of a directory", new)
    former, own = lab.student("group_001"), lab.path("group_001")
    groups: list[dict[str, Any]] = [
        {"name": name, "number": n, "moodle_id": None, "title": f"Team {n}", "limits": lab.limits}
        for n, name in enumerate(lab.names, 1)
    ]
    groups[0]["principal"] = "Team of a directory"
    lab.workspace.advance(60)
    lab.write_course(version=3, groups=groups)

    assert lab.poll(ledger).failures == ()

    lab.save(own, "60 minutes", new)
    assert lab.text(own, new) == "60 minutes"
    with pytest.raises(ApiError) as error:
        lab.text(own, former)
    assert error.value.status == 403


def test_a_course_without_the_table_has_no_files_and_no_requests(ledger: Ledger) -> None:
    lab = RequestLab(requests=None, extensions=None)
    workspace = lab.connect()
    assert lab.poll(ledger, workspace=workspace).failures == ()
    assert (lab.listed(FOLDER), workspace.calls["workspace/list"]) == (["allowances", "course.json"], 2)


def test_an_unchanged_course_costs_one_list_and_a_change_is_read_at_once(ledger: Ledger, lab: RequestLab) -> None:
    for _ in range(2):
        lab.workspace.advance(900)
        lab.poll(ledger)
    workspace = lab.connect()
    lab.workspace.advance(900)
    lab.poll(ledger, workspace=workspace)
    assert dict(workspace.calls) == {"clusters/list": 1, "workspace/list": 2}

    lab.limits["hard_minutes"] = 240
    lab.write_course()
    workspace = lab.connect()
    changed = lab.poll(ledger, workspace=workspace)
    assert changed.snapshot
    assert changed.snapshot.quota("group_001").hard == 240 * M
    assert dict(workspace.calls) == {"clusters/list": 1, "workspace/list": 3, "workspace/export": 1}


def test_without_the_version_file_everything_is_read(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    lab.workspace.call("POST", "/api/2.0/workspace/delete", {"path": f"{REQUESTS}/course-version.txt"})
    lab.workspace.advance(60)
    lab.limits["hard_minutes"] = 240
    lab.keys["requests"] = None
    lab.write_course()
    lab.keys["requests"] = {"expire_days": 7}
    super(RequestLab, lab).write_course(**lab.keys)
    result = lab.poll(ledger)
    assert result.snapshot
    assert result.snapshot.quota("group_001").hard == 240 * M
    assert [problem for problem in result.failures if "deploy" in problem] == [
        f"{REQUESTS} has no course-version.txt, so that no group can ask for more time; deploy the course again"
    ]


def test_nothing_is_made_again_after_a_destroy(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    for cluster in lab.clusters:
        lab.remove(cluster)
    lab.remove_course()
    result = lab.poll(ledger)
    assert [problem for problem in result.failures if "requests" in problem] == []
    with pytest.raises(ApiError):
        lab.listed(FOLDER)


def test_a_list_that_fails_is_reported_and_the_course_is_read_as_usual(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    lab.workspace.advance(900)
    lab.limits["hard_minutes"] = 240
    lab.write_course()
    workspace = lab.connect()
    files = workspace.files

    def fail(folder: str) -> FileList:
        if folder == REQUESTS:
            raise WorkspaceError(f"the folder {folder}: try again")
        return files(folder)

    workspace.files = fail  # type: ignore[method-assign]
    result = lab.poll(ledger, workspace=workspace)
    assert result.failures == (f"the folder {REQUESTS}: try again; time requests are read at a later poll",)
    assert result.snapshot
    assert result.snapshot.quota("group_001").hard == 240 * M


def test_nothing_is_granted_if_the_allowances_are_not_known(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    lab.write_request("group_001", "30 minutes")
    workspace = lab.connect()
    files = workspace.files

    def fail(folder: str) -> FileList:
        if folder.endswith("/allowances"):
            raise WorkspaceError(f"the folder {folder}: try again")
        return files(folder)

    workspace.files = fail  # type: ignore[method-assign]
    result = lab.poll(ledger, workspace=workspace)
    assert [one.state for one in lab.requests(ledger, result)] == [State.WAITING]
    assert lab.given == []
    assert [one.state for one in lab.requests(ledger, lab.poll(ledger))] == [State.GRANTED]


def test_answers_are_in_the_language_of_the_pages(ledger: Ledger) -> None:
    lab = RequestLab(pages={"language": "he"})
    lab.workspace.call("POST", "/api/2.0/workspace/mkdirs", {"path": f"{FOLDER}/groups"})
    lab.poll(ledger)
    assert lab.text(lab.path("group_001")).startswith("# זמן נוסף")
    lab.write_request("group_001", "20 דקות: הגשה")
    lab.poll(ledger)
    lab.write_request("group_001", "30 דקות: הגשה")
    requests = lab.requests(ledger, lab.poll(ledger))
    assert requests[-1].answer == (
        "מספר ההארכות המיידיות בשבוע הוא 1, וכולן נוצלו השבוע. אפשר לבקש שוב מיום ראשון, 2026-11-08."
    )


def test_old_requests_stay_in_the_ledger_as_they_were(ledger: Ledger, lab: RequestLab) -> None:
    lab.poll(ledger)
    lab.write_request("group_001", "60 minutes: one")
    lab.poll(ledger)
    lab.write_request("group_002", "30 minutes: two")
    before = lab.requests(ledger, lab.poll(ledger))
    assert [one.state for one in before] == [State.WAITING, State.GRANTED]
    lab.workspace.advance(10 * 24 * 3600)
    lab.poll(ledger)
    lab.workspace.advance(15 * 24 * 3600)
    result = lab.poll(ledger)
    first, second = lab.requests(ledger, result)
    assert ((first.state, first.reason), second) == ((State.EXPIRED, "one"), before[1])


def test_a_request_is_acknowledged_on_the_groups_own_page_only(ledger: Ledger) -> None:
    lab = RequestLab(pages={"language": "en"})
    lab.workspace.call("POST", "/api/2.0/workspace/mkdirs", {"path": f"{FOLDER}/groups"})
    lab.poll(ledger)

    def page(group: str) -> str:
        answer = lab.workspace.call(
            "GET", f"/api/2.0/workspace/export?path={FOLDER}/groups/{group}/cluster_time&format=JUPYTER"
        )
        return base64.b64decode(answer["content"]).decode()

    assert "/editor/files/" in page("group_001")
    lab.write_request("group_001", "60 minutes: a unique deadline")
    lab.poll(ledger)
    assert "a unique deadline" in page("group_001")
    assert "waiting" in page("group_001")
    assert "unique" not in page("group_002")
    (asked,) = lab.requests(ledger, lab.poll(ledger))
    create_entry(lab.connect(), FOLDER, denial(asked, "not before the exam", given_by="t@lab", now=lab.now()))
    lab.poll(ledger)
    assert "not before the exam" in page("group_001")
    assert "before the exam" not in page("group_002")

"""requests, approve and deny: arguments, output and effect, against an emulated workspace."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import pytest

from emulated_course import FOLDER, SUNDAY, EmulatedCourse
from emulator_process import EmulatorProcess
from json_documents import mismatches

pytestmark = pytest.mark.process

REQUESTS = f"{FOLDER}/requests"


@pytest.fixture
def lab(frozen_emulator: EmulatorProcess, tmp_path: Path) -> EmulatedCourse:
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path)
    lab.write_course(requests={"expire_days": 7})
    lab.call("POST", "/api/2.0/workspace/mkdirs", {"path": REQUESTS})
    lab.put(f"{REQUESTS}/course-version.txt", "1")
    lab.poll()
    return lab


def ask(lab: EmulatedCourse, group: str, text: str) -> None:
    """Save the group's file with a student's token, and let a minute pass."""
    content = base64.b64encode(text.encode()).decode()
    body = {"path": f"{REQUESTS}/{group}.txt", "content": content, "format": "AUTO", "overwrite": True}
    lab.call("POST", "/api/2.0/workspace/import", body, token=lab.student(group))
    lab.advance_minutes(1)


def allowance_files(lab: EmulatedCourse) -> list[str]:
    listed = lab.call("GET", f"/api/2.0/workspace/list?path={FOLDER}/allowances")
    return [entry["path"] for entry in listed.get("objects", [])]


def test_a_stopped_group_can_start_again_after_an_approval(lab: EmulatedCourse) -> None:
    lab.start("group_01")
    lab.advance_minutes(181)
    lab.poll()
    assert lab.level("group_01") == "CAN_ATTACH_TO"
    ask(lab, "group_01", "60 minutes: project deadline")
    (waiting,) = lab.run("requests", "--json").json
    assert [mismatches(waiting, "requests"), waiting["state"], waiting["reason"]] == [[], "waiting", "project deadline"]

    done = lab.run("approve", waiting["id"], "--json")

    assert (done.status, mismatches(done.json, "allow, block, approve")) == (0, [])
    assert lab.level("group_01") == "CAN_RESTART"
    assert lab.run("requests").out == "no time request waits for an answer; --all also lists the others\n"
    (approved,) = lab.run("requests", "--all", "--json").json
    assert (approved["state"], approved["minutes_given"]) == ("approved", 60)
    again = lab.run("approve", waiting["id"])
    assert (again.status, "was already approved" in again.out, len(allowance_files(lab))) == (0, True, 1)
    assert lab.run("usage", "--json").json[0]["hard_minutes"] == 240


def test_other_minutes_and_days_can_be_approved(lab: EmulatedCourse) -> None:
    ask(lab, "group_02", "please")
    (refused,) = lab.run("requests", "--all", "--json").json
    assert lab.run("approve", refused["id"]).err.endswith("has no readable number of minutes; add --minutes.\n")

    until = str(SUNDAY + timedelta(days=2))
    planned = lab.run("approve", refused["id"][:8], "--minutes", "30", "--until", until, "--dry-run", "--json").json

    assert (planned["minutes"], planned["first_day"], planned["last_day"]) == (30, str(SUNDAY), until)
    assert (planned["id"], planned["reason"]) == (f"asked-{refused['id']}", "asked for more time")
    assert allowance_files(lab) == []


def test_a_denied_request_is_answered_and_cannot_be_approved(lab: EmulatedCourse) -> None:
    ask(lab, "group_01", "60 minutes")
    (waiting,) = lab.run("requests", "--json").json

    done = lab.run("deny", waiting["id"], "--reason", "not before\nthe exam", "--json")

    assert (done.status, mismatches(done.json, "deny"), done.json["answer"]) == (0, [], "not before the exam")
    (denied,) = lab.run("requests", "--all", "--json").json
    assert (denied["state"], denied["answer"]) == ("denied", "not before the exam")
    assert lab.run("deny", waiting["id"], "--reason", "x").out == "group_01, 60 minutes: was already denied\n"
    refused = lab.run("approve", waiting["id"])
    assert (refused.status, "was denied; use `allow`" in refused.err) == (2, True)


def test_the_file_of_a_denial_is_listed_by_no_command_as_an_allowance(lab: EmulatedCourse) -> None:
    ask(lab, "group_01", "60 minutes")
    (waiting,) = lab.run("requests", "--json").json
    assert lab.run("deny", waiting["id"], "--reason", "x", "--dry-run").out == "group_01, 60 minutes: would be denied\n"
    lab.run("deny", waiting["id"], "--reason", "x")
    assert lab.run("allowances", "--all").out == "there are no allowances\n"
    assert len(allowance_files(lab)) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["approve", "x"], 'there is no time request "x": there are no time requests yet.'),
        (["deny", "x"], "Missing option '--reason'"),
        (["deny", "x", "--reason", " "], "--reason must have 1 to 300 characters"),
        (["approve", "x", "--minutes", "0"], '"0" is not a whole number of minutes from 1 to 1440'),
        (["approve", "x", "--until", "soon"], '"soon" is not a date; use YYYY-MM-DD'),
    ],
)
def test_wrong_input_is_reported(lab: EmulatedCourse, words: list[str], sentence: str) -> None:
    done = lab.run(*words)
    assert (done.status, sentence in done.err) == (2, True), done.err


def test_commands_name_the_missing_table_of_a_course_without_requests(lab: EmulatedCourse) -> None:
    lab.write_course()
    lab.call("POST", "/api/2.0/workspace/delete", {"path": REQUESTS, "recursive": True})
    done = lab.run("requests")
    assert (done.status, done.err) == (
        2,
        f"the groups of {FOLDER} cannot ask for more time: add [requests] to lab.toml and deploy the course.\n",
    )


def test_words_of_a_group_cannot_steer_the_terminal(lab: EmulatedCourse) -> None:
    ask(lab, "group_01", "60 minutes: \x1b[31m\u202ered | <b>x</b>\n## heading")
    shown = lab.run("requests").out
    assert ("\x1b" in shown, "\u202e" in shown, "heading" in shown, "red" in shown) == (False, False, False, True)
    (asked,) = lab.run("requests", "--json").json
    assert asked["reason"] == "31m red | <b>x</b>"


def test_a_students_token_opens_the_groups_file_and_no_other(lab: EmulatedCourse) -> None:
    ask(lab, "group_01", "60 minutes")
    token = lab.student("group_01", "b")

    def status(path: str, verb: str = "export") -> int:
        query = f"/api/2.0/workspace/{verb}?path={path}" + ("&format=AUTO" if verb == "export" else "")
        return lab.emulator.request("GET", query, None, token=token)[0]

    own, other = f"{REQUESTS}/group_01.txt", f"{REQUESTS}/group_02.txt"
    body = {"path": other, "content": "eA==", "format": "AUTO", "overwrite": True}
    assert (status(own), status(own, "get-status")) == (200, 200)
    assert [
        status(other),
        status(other, "get-status"),
        status(REQUESTS, "list"),
        status(f"{REQUESTS}/course-version.txt"),
        status(f"{FOLDER}/course.json"),
        lab.emulator.request("POST", "/api/2.0/workspace/import", body, token=token)[0],
        lab.emulator.request("POST", "/api/2.0/workspace/import", {**body, "path": f"{REQUESTS}/x"}, token=token)[0],
    ] == [403] * 7

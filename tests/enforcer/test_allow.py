"""allow, block, allowances and revoke: arguments, output, and the same effect on different machines."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from emulated_course import FOLDER, SUNDAY, EmulatedCourse
from emulator_process import ROOT, EmulatorProcess
from enforcer.ledger.lock import ledger_lock

pytestmark = pytest.mark.process

TOMORROW = str(SUNDAY + timedelta(days=1))


@pytest.fixture
def lab(frozen_emulator: EmulatorProcess, tmp_path: Path) -> EmulatedCourse:
    frozen_emulator.control("POST", "reset")
    return EmulatedCourse(frozen_emulator, tmp_path)


def files(lab: EmulatedCourse) -> list[str]:
    listed = lab.call("GET", f"/api/2.0/workspace/list?path={FOLDER}/allowances")
    return [entry["path"] for entry in listed.get("objects", [])]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["block", "grop_1"], 'there is no group "grop_1" in 94290 2030w; did you mean group_01'),
        (["block", "17"], 'no group "17" in 94290 2030w; there are 2, group_01 to group_02, numbers 1 to 2.'),
        (["allow", "1"], "specify exactly one of --minutes, --unlimited and --window"),
        (["allow", "1", "--window", "10:00-12:00", "--unlimited"], "specify exactly one of --minutes"),
        (["allow", "1", "--minutes", "0"], "--minutes 0 changes nothing"),
        (["allow", "1", "--minutes", "1.5"], '"1.5" is not a whole number of minutes from -1440 to 1440'),
        (["allow", "1", "--window", "noon"], 'a window is written "Mon 10:00-12:00"'),
        (["allow", "1", "--window", "Mon 10:00-12:00"], "never opens: 2030-11-03 is a Sunday"),
        (["block", "1", "--day", "2030-11-02"], "2030-11-02 is in the past"),
        (["block", "1", "--day", "tomorrow"], '"tomorrow" is not a date; use YYYY-MM-DD'),
        (["block", "1", "--from", TOMORROW], "--from and --to must be used together"),
        (["block", "1", "--from", TOMORROW, "--to", str(SUNDAY)], "is before --from"),
        (["block", "1", "--day", TOMORROW, "--to", TOMORROW], "use either --day, or --from and --to"),
        (["block", "1", "--reason", " \n"], "--reason must have 1 to"),
    ],
)
def test_wrong_input_is_reported_and_nothing_is_written(lab: EmulatedCourse, words: list[str], sentence: str) -> None:
    done = lab.run(words[0], "--reason", "x", *words[1:])

    assert (done.status, files(lab)) == (2, [])
    assert sentence in done.err


def test_a_reason_is_required(lab: EmulatedCourse) -> None:
    done = lab.run("block", "1")

    assert (done.status, "--reason" in done.err) == (2, True)


def test_allow_none_is_block_with_a_warning(lab: EmulatedCourse) -> None:
    done = lab.run("allow", "1", "--none", "--reason", "x", "--dry-run", "--json")

    assert (done.status, done.json["blocked"]) == (0, True)
    assert done.err == "--none is now the command block; the old name works until version 0.3.0\n"
    assert "--none" not in lab.run("allow", "--help").out


def test_the_file_of_a_block_can_be_read_by_version_0_1(lab: EmulatedCourse) -> None:
    lab.run("block", "1", "--reason", "x")
    (path,) = files(lab)

    exported = lab.call("GET", f"/api/2.0/workspace/export?path={path}&format=AUTO")["content"]

    assert json.loads(base64.b64decode(exported))["none"] is True


def test_a_block_without_a_course_is_rejected(frozen_emulator: EmulatorProcess, tmp_path: Path) -> None:
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path, groups=0)

    done = lab.run("block", "all", "--reason", "x")

    assert (done.status, "there is no course" in done.err) == (2, True)


@pytest.mark.parametrize("reported", ["group_02", "GROUP_02", "2", "02"])
def test_a_group_is_found_by_display_name_or_number(lab: EmulatedCourse, reported: str) -> None:
    assert lab.run("block", reported, "--reason", "x", "--dry-run", "--json").json["group"] == "group_02"


def test_a_group_with_the_prefix_of_its_course_is_found_by_its_number(
    frozen_emulator: EmulatorProcess, tmp_path: Path
) -> None:
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path, prefix="de-")

    lab.run("block", "2", "--reason", "x")

    assert (lab.level("de-group_01"), lab.level("de-group_02")) == ("CAN_RESTART", "CAN_ATTACH_TO")


def test_a_dry_run_writes_nothing(lab: EmulatedCourse) -> None:
    done = lab.run("block", "1", "--reason", "x", "--dry-run")

    assert (done.status, files(lab), lab.level("group_01")) == (0, [], "CAN_RESTART")
    assert done.out == "group_01, 2030-11-03: blocked: x (dry run: nothing was written)\n"


def test_usage_shows_the_reason_of_a_limit(lab: EmulatedCourse) -> None:
    lab.run("allow", "1", "--minutes", "+60", "--reason", "project deadline")

    assert "group_01, day of 2030-11-03: 180 + 60 minutes: project deadline" in lab.run("usage").out.splitlines()


def test_allowances_and_revocations_are_in_effect_on_other_machines(lab: EmulatedCourse) -> None:
    given = lab.run("allow", "all", "--unlimited", "--day", TOMORROW, "--reason", "hackathon", "--json").json
    elsewhere = {"CLUSTER_UPTIMES_DB": str(lab.folder / "elsewhere.db")}

    before = lab.run("allowances", "--json", **elsewhere).json
    lab.run("revoke", given["id"], "--reason", "cancelled", **elsewhere)
    after = [lab.run("allowances", *words, "--json").json for words in ([], ["--all"])]
    again = lab.run("revoke", given["id"])

    reported = {name: value for name, value in given.items() if name != "path"}
    assert before == [reported | {"revoked_by": None}]
    assert after == [[], [reported | {"revoked_by": "admin@lab.example"}]]
    assert (again.status, "was already revoked" in again.out, len(files(lab))) == (0, True, 2)


def test_an_unknown_id_is_rejected_with_a_list_of_similar_ids(lab: EmulatedCourse) -> None:
    id = lab.run("allow", "1", "--minutes", "+5", "--reason", "x", "--json").json["id"]

    done = lab.run("revoke", id[:-1] + "x")

    assert (done.status, done.err) == (2, f'there is no allowance "{id[:-1]}x"; did you mean {id}?\n')


def test_an_invalid_allowance_file_does_not_affect_the_others(lab: EmulatedCourse) -> None:
    lab.put(f"{FOLDER}/allowances/20301101T000000Z-0000.json", "{")

    done = lab.run("block", "1", "--reason", "x")

    assert (done.status, lab.level("group_01")) == (1, "CAN_ATTACH_TO")
    assert f"{FOLDER}/allowances/20301101T000000Z-0000.json is not an allowance" in done.err


def test_control_characters_in_a_reason_are_stored_but_not_printed(lab: EmulatedCourse) -> None:
    hostile = "=1+1 <b>\u202egnp\x1b[31m"

    lab.run("allow", "1", "--minutes", "+5", "--reason", hostile)
    shown = [lab.run("allowances"), lab.run("usage")]
    reported = lab.run("allowances", "--json")

    assert all("<b>\\u202egnp\\x1b[31m" in done.out for done in shown)
    assert not {"\u202e", "\x1b"} & set("".join(done.out for done in [*shown, reported]))
    assert reported.json[0]["reason"] == hostile


def test_an_allowance_waits_for_a_running_poll(lab: EmulatedCourse) -> None:
    """The command runs as a process, because locks belong to processes."""
    with ledger_lock(lab.environment["CLUSTER_UPTIMES_DB"]) as alone:
        assert alone
        command = [sys.executable, "-m", "enforcer", "block", "1", "--reason", "x", "--json"]
        environment = {**os.environ, **lab.environment}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        ends = time.monotonic() + 60
        while not files(lab) and time.monotonic() < ends:
            time.sleep(0.1)
        while_at_work = (lab.level("group_01"), process.poll())
    out, _ = process.communicate(timeout=60)

    assert while_at_work == ("CAN_RESTART", None)
    assert (process.returncode, json.loads(out)["blocked"], lab.level("group_01")) == (0, True, "CAN_ATTACH_TO")


def test_nothing_changes_if_the_workspace_refuses_an_allowance_file(lab: EmulatedCourse) -> None:
    lab.emulator.control("POST", "faults", {"rules": [{"kind": "500", "match": "/api/2.0/workspace/import*"}]})

    done = lab.run("block", "1", "--reason", "x")
    lab.emulator.control("POST", "faults", {})

    assert (done.status, files(lab), lab.level("group_01")) == (1, [], "CAN_RESTART")
    assert done.err.startswith("nothing was changed: ")


def test_usage_shows_the_last_poll_while_the_workspace_is_down(lab: EmulatedCourse) -> None:
    lab.start("group_01")
    lab.advance_minutes(30)
    lab.poll()

    done = lab.run("usage", "--json", DATABRICKS_TOKEN="expired")

    assert done.status == 1
    assert "these figures are from the last poll (2030-11-03 06:30 UTC)" in done.err
    assert [(row["group"], row["used_ms"] // 60_000) for row in done.json] == [("group_01", 30), ("group_02", 0)]


def test_usage_never_writes_to_the_ledger(lab: EmulatedCourse) -> None:
    lab.run("usage")

    assert not (lab.folder / "ledger").exists()

"""Malicious names in the terminal, JSON and logs; and what logs must not contain."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulated_course import SUNDAY, EmulatedCourse
from emulator_process import EmulatorProcess
from labkit.logs import LineFormatter

pytestmark = pytest.mark.process

HOSTILE = "=cmd|' /C calc'!A0 <script>\u202egnp\n\x1b]0;owned\x07"
GROUP = HOSTILE.replace("\u202e", "\x85")
"""The group is named in the tag of its cluster, which has Latin-1 characters only."""
VERBS = (
    ["usage"],
    ["clusters"],
    ["groups"],
    ["users"],
    ["user-groups"],
    ["allocations"],
    ["allowances"],
    ["doctor"],
    ["restore-permissions", "--dry-run"],
    ["delete-users", "--dry-run"],
    ["delete-groups", "--dry-run"],
    ["purge-clusters", "--dry-run"],
    ["poll", "--dry-run"],
    ["poll"],
    ["end-of-day", "--dry-run"],
    ["report", "--day", str(SUNDAY)],
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedCourse]:
    """A group, a cluster, a title and a person with such names; the group is over its limit."""
    with EmulatorProcess(["--speed", "0", "--transition-seconds", "0"]) as emulator:
        lab = EmulatedCourse(
            emulator, tmp_path_factory.mktemp("lab"), groups=0, limits={"soft_minutes": 0, "hard_minutes": 10}
        )
        lab.names.append(GROUP)
        lab.make_group(1, GROUP, HOSTILE)
        lab.write_course(title=HOSTILE)
        lab.call("POST", "/api/2.0/preview/scim/v2/Users", {"userName": "x@x.example", "displayName": HOSTILE})
        lab.start(GROUP)
        lab.advance_minutes(60)
        yield lab


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
@pytest.mark.parametrize("more", [[], ["--json"]], ids=["text", "json"])
def test_hostile_names_are_escaped_in_the_terminal(lab: EmulatedCourse, words: list[str], more: list[str]) -> None:
    done = lab.run(*words, *more)

    said = done.out + done.err
    assert not {"\u202e", "\x85", "\x1b", "\x07"} & set(said)
    assert "Traceback" not in said
    assert not any(line.startswith("\x1b") or line.strip() == "gnp" for line in said.splitlines())


def test_a_dry_run_prints_a_hostile_group_name_on_one_line(lab: EmulatedCourse) -> None:
    lab.grant(GROUP, {"group_name": GROUP}, "CAN_RESTART")
    lab.start(GROUP)

    lines = lab.run("poll", "--dry-run").out.splitlines()

    assert lines[0].startswith("restrict =cmd|' /C calc'!A0 <script>\\x85gnp\\x0a\\x1b]0;owned\\x07: used 60 minutes")


def test_a_log_record_is_one_line() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(LineFormatter("%(levelname)s %(message)s"))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    logger.warning("stop %s", HOSTILE)
    try:
        raise ValueError("\x1b[2J")
    except ValueError:
        logger.exception("failed")

    lines = out.getvalue().splitlines()
    assert lines[0] == "WARNING stop =cmd|' /C calc'!A0 <script>\\u202egnp\\x0a\\x1b]0;owned\\x07"
    assert lines[1:3] == ["ERROR failed", "Traceback (most recent call last):"]
    assert lines[-1] == "ValueError: \\x1b[2J"


def test_no_log_at_any_level_contains_a_token(
    lab: EmulatedCourse, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(1)
    for name in ("databricks.sdk", "urllib3", "enforcer"):
        logging.getLogger(name).setLevel(1)
    try:
        said = [lab.run(*words) for words in VERBS] + [lab.run("poll", DATABRICKS_TOKEN="dapi-wrong-token")]
    finally:
        for name in ("databricks.sdk", "urllib3", "enforcer"):
            logging.getLogger(name).setLevel(logging.NOTSET)
    text = caplog.text + "".join(done.out + done.err for done in said)

    assert len(caplog.records) > 50
    assert lab.emulator.admin_token not in text
    assert "dapi-wrong-token" not in text

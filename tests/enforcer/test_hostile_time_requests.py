"""Hostile files for time requests: one poll reads them within its deadline, and nothing in them has an effect."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC

import pytest

from emulator.api.errors import ApiError
from enforcer.ledger.database import Ledger
from enforcer.mail import messages
from enforcer.time_requests.model import State
from enforcer.time_requests.parse import LONGEST_REASON, AskedTime, parse_request
from enforcer.time_requests.read import MOST_CHANGES_A_DAY, MOST_READ
from in_process_course import FOLDER, START
from request_lab import REQUESTS, RequestLab

pytestmark = pytest.mark.waits

DEADLINE = 30
"""The duration of a poll, in seconds."""
CONTENTS: list[bytes] = [
    b"60 minutes: " + b"A" * 4000,
    b"A" * 4_000_000,
    b"\xff\xfe" + "60 minutes: \u202e\u2066x".encode("utf-16-le"),
    b"\x00" * 4096,
    bytes(range(256)) * 15,
    "60 minutes: \ud83d\ude00 \u200f\u0000".encode("utf-8", "surrogatepass"),
    b"60 minutes: </pre><script>alert(1)</script>",
    b"60 minutes: [x](javascript:alert(1)) ![x](http://evil.example/x.png)",
    b"60 minutes: x\n# COMMAND ----------\n# MAGIC %sh rm -rf /\n# heading",
    json.dumps({"cells": [{"cell_type": "code", "source": "60 minutes"}], "nbformat": 4}).encode(),
    b"# Databricks notebook source\n# MAGIC %md\n60 minutes: x",
    b"60 minutes: {{ 7 * 7 }} {% for x in y %} ${PATH} $(id) `id` =cmd|' /C calc'!A0",
    b"99999999999999999999 minutes",
    "٩٩٩٩٩٩٩٩٩٩٩٩ דקות".encode(),
    b"1e9 hours",
    b"60 minutes: a@b.example; '); DROP TABLE time_request; --",
    b"-" * 4096,
    b"1h" * 2000,
]


@pytest.fixture
def lab() -> RequestLab:
    return RequestLab(100, extensions=None)


def test_a_hundred_hostile_files_at_each_poll_keep_within_the_deadline(ledger: Ledger, lab: RequestLab) -> None:
    assert lab.poll(ledger, seconds=DEADLINE).failures == ()
    for round in range(4):
        for number, name in enumerate(lab.names):
            lab.save(lab.path(name), CONTENTS[(number + round) % len(CONTENTS)], lab.student(name))
        lab.workspace.advance(60)
        workspace, began = lab.connect(), time.monotonic()
        result = lab.poll(ledger, workspace=workspace, seconds=DEADLINE)
        assert time.monotonic() - began < DEADLINE / 3
        assert result.failures == ()
        assert workspace.calls["workspace/export"] <= MOST_READ
    requests = lab.requests(ledger, result)
    assert {one.group for one in requests} == set(lab.names)
    for one in requests:
        assert len(one.reason) <= LONGEST_REASON
        assert one.reason.isprintable() or "\u200c" in one.reason or "\u200d" in one.reason
        assert one.minutes is None or 1 <= one.minutes <= 1440
    assert (lab.given, set(lab.listed(FOLDER))) == ([], {"allowances", "course.json", "requests"})
    again = lab.poll(ledger, seconds=DEADLINE)
    assert again.failures == ()


def test_ten_thousand_changes_cost_few_reads_and_rows(ledger: Ledger) -> None:
    lab = RequestLab(1, extensions=None)
    lab.poll(ledger)
    reads = 0
    for number in range(10_000):
        lab.save(lab.path("group_001"), f"{number % 900 + 1} minutes", lab.student("group_001"))
        if number % 200 == 199:
            lab.workspace.advance(60)
            workspace = lab.connect()
            result = lab.poll(ledger, workspace=workspace)
            assert result.failures == ()
            reads += workspace.calls["workspace/export"]
    requests = lab.requests(ledger, result)
    assert (reads, len(requests)) == (MOST_CHANGES_A_DAY, MOST_CHANGES_A_DAY + 1)
    assert sum(one.state is State.WAITING for one in requests) == 0


def test_a_notebook_in_place_of_the_file_is_reported_and_not_read(ledger: Ledger) -> None:
    lab = RequestLab(1)
    lab.poll(ledger)
    path = lab.path("group_001")
    lab.workspace.call("POST", "/api/2.0/workspace/delete", {"path": path})
    notebook = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    content = base64.b64encode(notebook.encode()).decode()
    lab.workspace.call("POST", "/api/2.0/workspace/import", {"path": path, "content": content, "format": "JUPYTER"})
    workspace = lab.connect()
    result = lab.poll(ledger, workspace=workspace)
    assert result.failures == (f"{path} exists, but is not a file; delete it, so that the group can ask for more time",)
    assert workspace.calls["workspace/export"] == 0


def test_a_student_cannot_replace_the_groups_file_by_a_notebook(ledger: Ledger) -> None:
    lab = RequestLab(1)
    lab.poll(ledger)
    path, student = lab.path("group_001"), lab.student("group_001")
    body = {"path": path, "content": "eA==", "format": "SOURCE", "language": "PYTHON", "overwrite": True}
    with pytest.raises(ApiError):
        lab.workspace.call("POST", "/api/2.0/workspace/import", body, student)
    assert lab.poll(ledger).failures == ()


def test_other_objects_in_the_folder_are_neither_read_nor_listed(ledger: Ledger) -> None:
    lab = RequestLab(1)
    lab.poll(ledger)
    for name in ("group_1.txt", "group_001.txt.bak", "GROUP_001.txt", "notes.txt"):
        lab.save(f"{REQUESTS}/{name}", "60 minutes", None)
    lab.workspace.call("POST", "/api/2.0/workspace/mkdirs", {"path": f"{REQUESTS}/deep"})
    lab.workspace.advance(60)
    workspace = lab.connect()
    result = lab.poll(ledger, workspace=workspace)
    assert (result.failures, workspace.calls["workspace/export"], lab.requests(ledger, result)) == ((), 0, ())


@pytest.mark.parametrize("content", CONTENTS)
def test_a_hostile_reason_is_plain_text_in_the_mail(content: bytes) -> None:
    parsed = parse_request(content)
    reason = parsed.reason if isinstance(parsed, AskedTime) else "\n\n<script>\u202e"
    asked = [messages.AskedTime("r1", "group_001", "Team 1", 60, reason, START)] * 2
    first, both = (
        messages.time_requests(listed, course="Lab", tz=UTC, to=["a@b"], folder=None) for listed in (asked[:1], asked)
    )
    assert "<script" not in both.html
    assert both.html.count("<a ") == both.html.count("<img") == 0
    assert both.text.count("\n") - first.text.count("\n") == 4
    assert "\u202e" not in both.text

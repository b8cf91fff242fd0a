"""Malformed responses and files cause no traceback, and everything else is handled as usual."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enforcer.domain.allowances import Allowance, AllowanceError, format_entry, parse_entry
from enforcer.domain.course import CourseError
from enforcer.domain.quota import Restrict, Stop
from enforcer.domain.settled_totals import GroupTotals, SettledTotals, SettledTotalsError, format_settled, parse_settled
from enforcer.ledger.database import Ledger, open_copy
from enforcer.tick.run import TickResult, plan_tick
from enforcer.workspace.client import Workspace
from enforcer.workspace.course_file import check_course, parse_course
from enforcer.workspace.errors import WorkspaceError
from enforcer.workspace.responses import (
    MalformedResponseError,
    parse_cluster,
    parse_entries,
    parse_event,
    parse_file,
    parse_grants,
    parse_list,
)
from example_counts import exactly_examples
from in_process_course import FOLDER, SETTINGS, InProcessCourse
from json_mutations import JSON_VALUES, Mutation, mutations
from labkit.course_file import CourseFile, GroupEntry, GroupLimits, format_course_file, has_valid_checksum
from ledgers import clear

M = timedelta(minutes=1)
NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
OVER, BAD = 0, 1
"""Positions of the clusters: the first is past its limit, the second is malformed."""
BORDER = exactly_examples(150, acceptance=10_000)


# --- the parsers

CLUSTER = {
    "cluster_id": "1103-1", "cluster_name": "cluster_01", "state": "RUNNING", "start_time": 1, "terminated_time": 2,
    "creator_user_name": "admin@x", "custom_tags": {"origin": "terraform", "lab_course": "1", "lab_group": "group_01"},
}  # fmt: skip
EVENT = {
    "cluster_id": "1103-1", "timestamp": 5, "type": "TERMINATING",
    "details": {"user": "a@x", "current_num_workers": 1,
                "reason": {"code": "INACTIVITY", "type": "SUCCESS", "parameters": {"inactivity_duration_min": "20"}}},
}  # fmt: skip
GRANTS = {
    "access_control_list": [
        {"group_name": "group_01", "all_permissions": [{"permission_level": "CAN_RESTART", "inherited": False}]}
    ]
}
LISTING = {"path": f"{FOLDER}/course.json", "object_type": "FILE", "object_id": 5, "modified_at": 7, "size": 9}


@settings(BORDER)
@given(damage=mutations())
def test_entries_are_parsed_or_reported(damage: Mutation) -> None:
    problems: list[str] = []

    parse_entries([damage(CLUSTER)], lambda entry: parse_cluster(entry, NOW, problems), problems)
    events = parse_entries([damage(EVENT), EVENT], lambda entry: parse_event(entry, problems), problems)
    parse_entries([damage(LISTING)], parse_file, problems)
    with suppress(MalformedResponseError):
        parse_grants(damage(GRANTS))
    with suppress(MalformedResponseError):
        parse_list(damage({"clusters": [CLUSTER]}), "clusters")

    assert events[-1].event.idle == 20 * M
    assert all(isinstance(problem, str) and problem for problem in problems)


COURSE = CourseFile(
    "94290", "2026w", "Lab", "Asia/Jerusalem", date(2026, 10, 18), date(2027, 1, 29), "Sunday", False,
    (GroupEntry("group_01", 1, "1001", "Team 1", GroupLimits(150, 180, 900, 3000)),),
)  # fmt: skip
DAY = date(2026, 11, 2)
FILES = {
    "allowance": format_entry(Allowance("a", "group_01", DAY, DAY, 60 * M, "deadline", "ta@x", NOW)),
    "course": format_course_file(COURSE),
    "totals": format_settled(SettledTotals(DAY, {"group_01": GroupTotals(5 * M, 9 * M)})),
}


PARSERS = (
    (parse_entry, AllowanceError, "a.json"),
    (parse_course, CourseError, f"{FOLDER}/course.json"),
    (check_course, CourseError, f"{FOLDER}/course.json"),
    (parse_settled, SettledTotalsError, "settled.json"),
)


def rejections(text: str) -> list[str]:
    """Parse a string with every file parser, and return the messages; a parser may only raise its own error."""
    messages = []
    for parse, error, path in PARSERS:
        try:
            parse(text, path)
        except error as problem:
            assert path in str(problem)
            messages.append(str(problem))
    assert has_valid_checksum(text) in (True, False)
    return messages


@settings(BORDER)
@given(damage=mutations(), name=st.sampled_from(sorted(FILES)))
def test_files_are_parsed_or_rejected_with_a_message(damage: Mutation, name: str) -> None:
    assert len(rejections(json.dumps(damage(json.loads(FILES[name]))))) >= 2


@settings(BORDER)
@given(text=st.text(max_size=40) | JSON_VALUES.map(json.dumps))
def test_file_contents_are_parsed_or_rejected_with_a_message(text: str) -> None:
    assert len(rejections(text)) == len(PARSERS)


@pytest.mark.parametrize("name", sorted(FILES))
def test_deeply_nested_json_is_rejected_with_a_message(name: str) -> None:
    for text in ("[" * 100_000, FILES[name].replace(": ", ": " + "[" * 100_000, 1)):
        assert len(rejections(text)) == len(PARSERS)


@pytest.mark.parametrize(
    "changes",
    [
        {"minutes": 10**12}, {"minutes": True}, {"minutes": "60"}, {"minutes": 1.5}, {"last_day": "9999-12-31"},
        {"first_day": "0001-01-01"}, {"given_at": "9999-12-31T23:59:59-14:00"}, {"group": None}, {"reason": {}},
        {"version": True}, {"minutes": None}, {"id": 7},
    ],
)  # fmt: skip
def test_an_impossible_allowance_is_rejected(changes: dict[str, Any]) -> None:
    with pytest.raises(AllowanceError):
        parse_entry(json.dumps(json.loads(FILES["allowance"]) | changes), "a.json")


def test_a_course_file_must_match_its_folder_and_checksum() -> None:
    text = FILES["course"]
    check_course(text, f"{FOLDER}/course.json")

    with pytest.raises(CourseError, match="is the file of course 94290"):
        check_course(text, "/lab-94291-2026w/course.json")
    with pytest.raises(CourseError, match="edited by hand"):
        check_course(text.replace("180", "1800"), f"{FOLDER}/course.json")


# --- a tick


class Odd:
    """The API of a workspace with one malformed response."""

    def __init__(self, api: Any, border: str, bad: str, damage: Mutation) -> None:
        self._api, self._border, self._bad, self._damage = api, border, bad, damage
        self._cfg = api._cfg

    def do(self, method: str, path: str, query: Any = None, body: Any = None, **others: Any) -> Any:
        answer = self._api.do(method, path, query=query, body=body, **others)
        place = f"{path} {json.dumps(query)} {json.dumps(body)}"
        match self._border:
            case "cluster" if path.endswith("clusters/list"):
                entries = [
                    self._damage(one) if one["cluster_id"] == self._bad else one for one in answer.get("clusters", [])
                ]
                return answer | {"clusters": entries}
            case "events" if path.endswith("clusters/events") and self._bad in place:
                return self._damage(answer)
            case "permissions" if "permissions/clusters" in path and self._bad in place:
                return self._damage(answer)
            case "group" if path.endswith("scim/v2/Groups") and answer.get("Resources"):
                entries = [self._damage(o) if o.get("displayName") == "group_002" else o for o in answer["Resources"]]
                return answer | {"Resources": entries}
            case "user" if path.endswith("scim/v2/Users") and answer.get("Resources"):
                name = "student2@campus.example.ac.il"
                entries = [self._damage(o) if o.get("userName") == name else o for o in answer["Resources"]]
                return answer | {"Resources": entries}
            case "folder" if path.endswith("workspace/list"):
                return self._damage(answer)
            case "allowance" if "contents" in answer and "allowances" in place:
                return {"contents": io.BytesIO(self._odd_file(answer["contents"].read()))}
        return answer

    def _odd_file(self, content: bytes) -> bytes:
        return json.dumps(self._damage(json.loads(content))).encode()


@pytest.fixture(scope="module")
def lab() -> InProcessCourse:
    """The first cluster is past every limit; the second is running within them, and its group has an allowance."""
    lab = InProcessCourse(3, soft=150 * M, hard=180 * M)
    text = FILES["allowance"].replace("group_01", "group_002")
    body = {"path": f"{FOLDER}/allowances/a.json", "content": base64_of(text), "format": "RAW", "overwrite": True}
    lab.workspace.call("POST", "/api/2.0/workspace/import", body)
    lab.start(lab.clusters[OVER])
    lab.workspace.advance(130 * 60)
    lab.start(lab.clusters[BAD])
    lab.workspace.advance(91 * 60)
    return lab


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(scope="module")
def memory() -> Iterator[Ledger]:
    with closing(open_copy("no such ledger")) as ledger:
        yield ledger


def plan(lab: InProcessCourse, ledger: Ledger, workspace: Workspace) -> TickResult:
    return plan_tick(SETTINGS, ledger, workspace, now=lab.now())


BORDERS = ("cluster", "events", "permissions", "group", "user", "folder", "allowance")


@settings(
    exactly_examples(120, acceptance=10_000),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(damage=mutations(), border=st.sampled_from(BORDERS), polled=st.booleans())
def test_one_malformed_response_does_not_affect_other_groups(
    lab: InProcessCourse, memory: Ledger, damage: Mutation, border: str, polled: bool
) -> None:
    clear(memory)
    workspace = lab.connect()
    if polled:
        plan(lab, memory, workspace)
    workspace.api = Odd(workspace.api, border, lab.clusters[BAD], damage)  # type: ignore[assignment]

    result = plan(lab, memory, workspace)

    done = {type(action) for action in result.actions if action.cluster_id == lab.clusters[OVER]}
    assert done == {Restrict, Stop}, result.failures
    assert all(isinstance(failure, str) for failure in result.failures)


@settings(
    exactly_examples(60, acceptance=10_000),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(damage=mutations())
def test_an_unreadable_cluster_list_makes_the_workspace_unusable(
    lab: InProcessCourse, memory: Ledger, damage: Mutation
) -> None:
    clear(memory)
    workspace = lab.connect()
    whole = workspace.api.do

    def odd(method: str, path: str, **sent: Any) -> Any:
        answer = whole(method, path, **sent)
        return damage(answer) if path.endswith("clusters/list") else answer

    workspace.api.do = odd  # type: ignore[method-assign, assignment]
    try:
        planned = plan(lab, memory, workspace)
    except WorkspaceError as error:
        assert "list of clusters" in str(error)
    else:
        assert all(isinstance(failure, str) and failure for failure in planned.failures)

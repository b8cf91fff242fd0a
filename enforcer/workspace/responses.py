"""Parses responses of the workspace, entry by entry: a malformed entry does not affect the others. Pure.

A missing list is empty, because the API omits empty lists; any other value in place of a list is an error.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from enforcer.domain.observations import DirectGrant, FileInfo, ObservedCluster, RawEvent
from enforcer.domain.timestamps import from_millis
from enforcer.domain.uptime import RUNTIME_FAILURES, Event, Observation
from labkit.course_file import COURSE_TAG, GROUP_TAG, ORIGIN_TAG, TERM_TAG

Parsed = TypeVar("Parsed")

UP_STATES = frozenset({"RUNNING", "RESIZING", "RESTARTING"})
PRINCIPALS = {"group_name": "group", "user_name": "user", "service_principal_name": "service principal"}
"""Kinds of principals by their key in a permission entry."""
LAST_MILLIS = 7_258_118_400_000
"""First invalid timestamp: the year 2200."""
LONGEST_NAME = 255
"""Maximum length of a name, the same as in the ledger's columns."""
MOST_WORKERS = 1_000_000
MOST_IDLE_MINUTES = 1_000_000.0
_TIMES = ("start_time", "last_restarted_time", "terminated_time", "last_state_loss_time")


class MalformedResponseError(ValueError):
    """A malformed response or entry; the message does not name the request."""


def parse_object(answer: object) -> dict[str, Any]:
    """Return a response that is a JSON object. Raises MalformedResponseError for anything else, and for an error
    object.
    """
    if not isinstance(answer, dict):
        raise MalformedResponseError(f"expected an object, not {_shown(answer)}")
    if answer.get("error_code"):
        raise MalformedResponseError(
            f"the response is an error, {_shown(answer['error_code'])}: {_shown(answer.get('message'))}"
        )
    return answer


def parse_list(answer: object, key: str) -> list[Any]:
    """Return the list under `key` of a response; empty if the key is missing. Raises MalformedResponseError."""
    entries = parse_object(answer).get(key, [])
    if not isinstance(entries, list):
        raise MalformedResponseError(f"{key} is not a list, but {_shown(entries)}")
    return entries


def parse_entries(
    entries: Iterable[Any], parse: Callable[[dict[str, Any]], Parsed], problems: list[str]
) -> list[Parsed]:
    """Parse each entry; add a message to `problems` for each malformed one."""
    found = []
    for entry in entries:
        try:
            found.append(parse(_mapping(entry, "an entry")))
        except MalformedResponseError as error:
            problems.append(str(error))
    return found


def parse_page_token(answer: Mapping[str, Any], key: str) -> str:
    """Return the token of the next page; empty on the last page. Raises MalformedResponseError."""
    token = answer.get(key) or ""
    if not isinstance(token, str):
        raise MalformedResponseError(f"{key} is not a string, but {_shown(token)}")
    return token


def parse_cluster(entry: dict[str, Any], now: datetime, problems: list[str]) -> ObservedCluster:
    """Parse a cluster in a list that was requested at `now`. A malformed time counts as unknown.

    Raises MalformedResponseError.
    """
    id, state = parse_text(entry, "cluster_id"), parse_text(entry, "state")
    tags = parse_tags(entry)
    times = {name: _time(entry, name, problems, f"cluster {id}") for name in _TIMES}
    started = max((time for name in _TIMES[:2] if (time := times[name])), default=None)
    ended = times["terminated_time"]
    if state == "TERMINATING":
        # The list has the time of a termination only after it is completed.
        ended = now
    name = entry.get("cluster_name")
    return ObservedCluster(
        id=id,
        name=_clean(name) if isinstance(name, str) else "",
        group=tags.get(GROUP_TAG),
        course=tags.get(COURSE_TAG, ""),
        term=tags.get(TERM_TAG, ""),
        origin=tags.get(ORIGIN_TAG, ""),
        observation=Observation(at=now, running=state in UP_STATES, started=started, terminated=ended),
        list_fingerprint=":".join(_clean(str(entry.get(name) or ""))[:40] for name in _TIMES),
        creator=_user(entry.get("creator_user_name")),
    )


def parse_tags(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of a cluster. Raises MalformedResponseError."""
    tags: dict[str, str] = {}
    for key in ("default_tags", "custom_tags"):
        for name, value in _mapping(entry.get(key) or {}, key).items():
            if not isinstance(value, str) or len(value) > LONGEST_NAME:
                raise MalformedResponseError(
                    f"the tag {_shown(name)} of cluster {_shown(entry.get('cluster_id'))} is not a string"
                )
            tags[name] = _clean(value)
    return tags


def parse_event(entry: dict[str, Any], problems: list[str]) -> RawEvent:
    """Parse an event. A malformed detail counts as unknown. Raises MalformedResponseError without time or type."""
    at = parse_timestamp(entry.get("timestamp"))
    if at is None:
        raise MalformedResponseError("an event has no timestamp")
    type = parse_text(entry, "type")
    details = _optional(entry, "details", f"an event {type}", problems)
    reason = _optional(details, "reason", f"an event {type}", problems)
    has_failed = type == "TERMINATING" and reason.get("type", "SUCCESS") != "SUCCESS"
    code = reason.get("code")
    narrowed = Event(
        at=at,
        type=type,
        user=_user(details.get("user")),
        workers=_workers(details.get("current_num_workers")),
        idle=_idle(reason.get("parameters")) if code == "INACTIVITY" else None,
        failed=has_failed,
        may_have_run=has_failed and isinstance(code, str) and code in RUNTIME_FAILURES,
    )
    return RawEvent(narrowed, json.dumps(entry, sort_keys=True))


def parse_file(entry: dict[str, Any]) -> FileInfo | None:
    """Parse an entry of a folder listing; return None if it is not a file. Raises MalformedResponseError."""
    path, kind = parse_text(entry, "path", most=4096), parse_text(entry, "object_type")
    if kind != "FILE":
        return None
    version = f"{entry.get('object_id')}:{entry.get('modified_at')}:{entry.get('size')}"
    size = entry.get("size")
    return FileInfo(
        path,
        _clean(version)[:LONGEST_NAME],
        _clean(str(entry.get("object_id") or ""))[:LONGEST_NAME],
        _modified(entry),
        size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
    )


def _modified(entry: Mapping[str, Any]) -> datetime | None:
    """Return the time of modification; None if it is missing or malformed, because only few callers need it."""
    try:
        return parse_timestamp(entry.get("modified_at"))
    except MalformedResponseError:
        return None


def parse_grants(answer: object) -> list[DirectGrant]:
    """Return the direct grants on an object, without inherited ones. Raises MalformedResponseError."""
    found = []
    for entry in parse_list(answer, "access_control_list"):
        named = _mapping(entry, "an entry of access_control_list")
        kinds = [(kind, parse_text(named, key)) for key, kind in PRINCIPALS.items() if named.get(key)]
        for grant in map(_grant, parse_list(named, "all_permissions")):
            level = parse_text(grant, "permission_level")
            if not grant.get("inherited"):
                found += [DirectGrant(kind, principal, level) for kind, principal in kinds]
    return found


def _grant(entry: object) -> dict[str, Any]:
    return _mapping(entry, "a grant")


def parse_text(entry: Mapping[str, Any], key: str, *, most: int = LONGEST_NAME) -> str:
    """Return a string that is not empty and that the ledger can store. Raises MalformedResponseError."""
    value = entry.get(key)
    if not isinstance(value, str) or not value or len(value) > most or _clean(value) != value:
        raise MalformedResponseError(
            f"{key} is {'missing' if value is None else f'not a valid string, but {_shown(value)}'}"
        )
    return value


def parse_timestamp(value: object) -> datetime | None:
    """Parse a time in milliseconds; return None if it is missing, or 0, which the API returns for some missing times.
    Raises MalformedResponseError.
    """
    if value is None or (value == 0 and not isinstance(value, bool)):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < LAST_MILLIS:
        raise MalformedResponseError(f"{_shown(value)} is not a time in milliseconds")
    return from_millis(value)


def _time(entry: Mapping[str, Any], key: str, problems: list[str], owner: str) -> datetime | None:
    try:
        return parse_timestamp(entry.get(key))
    except MalformedResponseError as error:
        problems.append(f"{key} of {owner}: {error}")
        return None


def _mapping(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedResponseError(f"{what} is not an object, but {_shown(value)}")
    return value


def _optional(entry: Mapping[str, Any], key: str, owner: str, problems: list[str]) -> dict[str, Any]:
    """Return the object under a key; an empty one if it is missing or malformed, which adds a message to `problems`."""
    value = entry.get(key)
    if value is not None and not isinstance(value, dict):
        problems.append(f"{key} of {owner} is not an object, but {_shown(value)}")
    return value if isinstance(value, dict) else {}


def _user(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and _clean(value) == value else None


def _workers(value: object) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int) and 0 <= value <= MOST_WORKERS else None


def _idle(parameters: object) -> timedelta | None:
    """Return the idle time from the parameters of a termination by inactivity, where numbers are strings."""
    value = parameters.get("inactivity_duration_min") if isinstance(parameters, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return timedelta(minutes=number) if 0 < number <= MOST_IDLE_MINUTES else None


def _clean(text: str) -> str:
    """Replace characters that files or databases cannot store."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "?")


def _shown(value: object) -> str:
    """Return the value for a message, shortened."""
    try:
        text = json.dumps(value, ensure_ascii=True, default=str)
    except (ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= 60 else f"{text[:57]}..."

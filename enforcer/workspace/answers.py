"""From what the workspace answers to our own values, entry by entry: what cannot be read costs nothing beside it. Pure.

A list that is missing is empty, because the API leaves empty ones out; anything else in place of a list is a mistake.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from enforcer.domain.observations import DirectGrant, FileInfo, SeenCluster, ToldEvent
from enforcer.domain.timestamps import to_instant
from enforcer.domain.uptime import LATER_FAILURES, Event, Sighting
from labkit.course_file import COURSE_TAG, GROUP_TAG, ORIGIN_TAG, TERM_TAG

Parsed = TypeVar("Parsed")

UP_STATES = frozenset({"RUNNING", "RESIZING", "RESTARTING"})
PRINCIPALS = {"group_name": "group", "user_name": "user", "service_principal_name": "service principal"}
"""Of an entry of permissions: the key that names who it is about, and what kind that is."""
LAST_MILLIS = 7_258_118_400_000
"""The year 2200: a later time is none."""
LONGEST_NAME = 255
"""What a column of the ledger takes."""
MOST_WORKERS = 1_000_000
MOST_IDLE_MINUTES = 1_000_000.0
_TIMES = ("start_time", "last_restarted_time", "terminated_time", "last_state_loss_time")


class Malformed(ValueError):
    """A sentence, without its place, about an answer or an entry that cannot be read."""


def object_in(answer: object) -> dict[str, Any]:
    """The JSON object of an answer. Raises Malformed, also for an error in the place of the answer."""
    if not isinstance(answer, dict):
        raise Malformed(f"an object was expected, not {_shown(answer)}")
    if answer.get("error_code"):
        raise Malformed(f"the answer is an error, {_shown(answer['error_code'])}: {_shown(answer.get('message'))}")
    return answer


def entries_in(answer: object, key: str) -> list[Any]:
    """The list below `key` of an answer; empty if there is no such key. Raises Malformed."""
    entries = object_in(answer).get(key, [])
    if not isinstance(entries, list):
        raise Malformed(f"{key} is no list, but {_shown(entries)}")
    return entries


def readable(entries: Iterable[Any], parse: Callable[[dict[str, Any]], Parsed], problems: list[str]) -> list[Parsed]:
    """The entries that can be read. Of each other one `problems` gets a sentence."""
    found = []
    for entry in entries:
        try:
            found.append(parse(_mapping(entry, "an entry")))
        except Malformed as error:
            problems.append(str(error))
    return found


def token_in(answer: Mapping[str, Any], key: str) -> str:
    """The token of the next page; empty on the last. Raises Malformed."""
    token = answer.get(key) or ""
    if not isinstance(token, str):
        raise Malformed(f"{key} is no text, but {_shown(token)}")
    return token


def cluster_in(entry: dict[str, Any], now: datetime, problems: list[str]) -> SeenCluster:
    """A cluster of the list; `now` is when it was asked for. A time that cannot be read counts as unknown.

    Raises Malformed.
    """
    id, state = text_in(entry, "cluster_id"), text_in(entry, "state")
    tags = tags_in(entry)
    times = {name: _time(entry, name, problems, f"cluster {id}") for name in _TIMES}
    started = max((time for name in _TIMES[:2] if (time := times[name])), default=None)
    ended = times["terminated_time"]
    if state == "TERMINATING":
        # The list tells an end only when it is through.
        ended = now
    name = entry.get("cluster_name")
    return SeenCluster(
        id=id,
        name=_clean(name) if isinstance(name, str) else "",
        group=tags.get(GROUP_TAG),
        course=tags.get(COURSE_TAG, ""),
        term=tags.get(TERM_TAG, ""),
        origin=tags.get(ORIGIN_TAG, ""),
        sighting=Sighting(at=now, running=state in UP_STATES, since=started, terminated=ended),
        moved=":".join(_clean(str(entry.get(name) or ""))[:40] for name in _TIMES),
        creator=_user(entry.get("creator_user_name")),
    )


def tags_in(entry: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a cluster. Raises Malformed."""
    tags: dict[str, str] = {}
    for key in ("default_tags", "custom_tags"):
        for name, value in _mapping(entry.get(key) or {}, key).items():
            if not isinstance(value, str) or len(value) > LONGEST_NAME:
                raise Malformed(f"the tag {_shown(name)} of cluster {_shown(entry.get('cluster_id'))} is no text")
            tags[name] = _clean(value)
    return tags


def event_in(entry: dict[str, Any], problems: list[str]) -> ToldEvent:
    """An event. A detail that cannot be read counts as unknown. Raises Malformed without a time or a type."""
    at = instant_in(entry.get("timestamp"))
    if at is None:
        raise Malformed("an event has no timestamp")
    type = text_in(entry, "type")
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
        may_have_run=has_failed and isinstance(code, str) and code in LATER_FAILURES,
    )
    return ToldEvent(narrowed, json.dumps(entry, sort_keys=True))


def file_in(entry: dict[str, Any]) -> FileInfo | None:
    """A file of a folder; None for anything else that lies there. Raises Malformed."""
    path, kind = text_in(entry, "path", most=4096), text_in(entry, "object_type")
    if kind != "FILE":
        return None
    return FileInfo(
        path, _clean(f"{entry.get('object_id')}:{entry.get('modified_at')}:{entry.get('size')}")[:LONGEST_NAME]
    )


def grants_in(answer: object) -> list[DirectGrant]:
    """Who was given what by grants on the object itself. Raises Malformed if they cannot be read."""
    found = []
    for entry in entries_in(answer, "access_control_list"):
        named = _mapping(entry, "an entry of access_control_list")
        kinds = [(kind, text_in(named, key)) for key, kind in PRINCIPALS.items() if named.get(key)]
        for grant in map(_grant, entries_in(named, "all_permissions")):
            level = text_in(grant, "permission_level")
            if not grant.get("inherited"):
                found += [DirectGrant(kind, principal, level) for kind, principal in kinds]
    return found


def _grant(entry: object) -> dict[str, Any]:
    return _mapping(entry, "a grant")


def text_in(entry: Mapping[str, Any], key: str, *, most: int = LONGEST_NAME) -> str:
    """A text that is not empty and that the ledger takes. Raises Malformed."""
    value = entry.get(key)
    if not isinstance(value, str) or not value or len(value) > most or _clean(value) != value:
        raise Malformed(f"{key} is {'missing' if value is None else f'no usable text, but {_shown(value)}'}")
    return value


def instant_in(value: object) -> datetime | None:
    """The instant of a time in milliseconds; None for none, which the API also writes as 0. Raises Malformed."""
    if value is None or (value == 0 and not isinstance(value, bool)):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < LAST_MILLIS:
        raise Malformed(f"{_shown(value)} is no time in milliseconds")
    return to_instant(value)


def _time(entry: Mapping[str, Any], key: str, problems: list[str], place: str) -> datetime | None:
    try:
        return instant_in(entry.get(key))
    except Malformed as error:
        problems.append(f"{key} of {place}: {error}")
        return None


def _mapping(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(f"{what} is no object, but {_shown(value)}")
    return value


def _optional(entry: Mapping[str, Any], key: str, place: str, problems: list[str]) -> dict[str, Any]:
    """The object below a key; empty without one, and with a sentence for anything else."""
    value = entry.get(key)
    if value is not None and not isinstance(value, dict):
        problems.append(f"{key} of {place} is no object, but {_shown(value)}")
    return value if isinstance(value, dict) else {}


def _user(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and _clean(value) == value else None


def _workers(value: object) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int) and 0 <= value <= MOST_WORKERS else None


def _idle(parameters: object) -> timedelta | None:
    """How long nothing had run, from the parameters of an end by inactivity, where numbers are texts."""
    value = parameters.get("inactivity_duration_min") if isinstance(parameters, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return timedelta(minutes=number) if 0 < number <= MOST_IDLE_MINUTES else None


def _clean(text: str) -> str:
    """The text without what neither a file nor a database takes."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "?")


def _shown(value: object) -> str:
    """The value as a sentence shows it."""
    try:
        text = json.dumps(value, ensure_ascii=True, default=str)
    except (ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= 60 else f"{text[:57]}..."

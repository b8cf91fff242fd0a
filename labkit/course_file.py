"""The course file, in which the deployment describes a course and its groups for the enforcer. Pure: no I/O.

The deployment writes the file and the enforcer parses it, both through this module; docs/course.schema.json defines its
content. The module also defines the paths, cluster tags and group names by which both programs find a course in a
workspace.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any

VERSION = 3
"""Raised only if programs that know the previous version would misread the file. Every version since 1 is read."""
VERSION_WITHOUT_PRINCIPALS = 2
"""Written as long as no group has a principal, because a deployment must not replace a file without need."""
FILE_NAME = "course.json"
ALLOWANCES = "allowances"
"""The folder of allowances, next to the course file."""
REQUESTS = "requests"
"""The folder of the groups' files for time requests, next to the course file."""
COURSE_VERSION_FILE = "course-version.txt"
"""The file in `REQUESTS` with the checksum of the course file. The deployment writes it after the course file, so that
one list of the folder shows whether the course file has changed."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CALENDAR_KINDS = ("class", "exam", "holiday", "blackout")
USUAL, FREE, UNLIMITED, BLOCKED, LIMITS = "usual", "free", "unlimited", "blocked", "limits"
"""Effects of a calendar entry: limits as usual, usage does not count, no limit on its days, no use, other limits."""

PAGE_LANGUAGES = ("en", "he")
GROUPS = "groups"
"""The folder with a folder for each group, next to the course file; the group may read its own folder."""

ORIGIN_TAG, COURSE_TAG, TERM_TAG, GROUP_TAG = "origin", "lab_course", "lab_term", "lab_group"
"""The tags of a lab cluster."""
ORIGIN = "terraform"
"""The value of `ORIGIN_TAG`."""

ADMINS = "admins"
ALL_USERS = "users"
BUILT_IN_GROUPS = frozenset({ADMINS, ALL_USERS, "account users"})
"""Groups that every workspace has."""
ALL_STUDENT_GROUPS = "all_student_groups"
"""The group that contains all courses' groups in a workspace."""

_CHECKSUM = "checksum"
_MOST = 1440
"""Maximum number of days, minutes or extensions in a week."""
# Cluster names in the legacy system, which set no tags.
_COURSE_FOLDER = re.compile(r"/lab-[^/]+-[^/]+")
_LEGACY_CLUSTER = re.compile(r"(?:cluster|group)_(\d+)")


class CourseFileError(ValueError):
    """A course file is malformed; the message is a clause that says how."""


class NewerCourseFile(CourseFileError):
    """The file was written by a newer version of the project."""


@dataclass(frozen=True)
class StaffIds:
    """Identities of the course's staff that are known without a request to the workspace."""

    application_ids: tuple[str, ...] = ()
    """Application ids of service principals, in lower case."""
    address_hashes: tuple[str, ...] = ()
    """Hashed e-mail addresses; see `hash_address`."""

    @classmethod
    def of(cls, course: str, term: str, *, application_ids: Iterable[str], addresses: Iterable[str]) -> "StaffIds":
        """Return the `StaffIds` for application ids and e-mail addresses; order, duplicates and case do not matter."""
        return cls(
            tuple(sorted({id.lower() for id in application_ids})),
            tuple(sorted({hash_address(address, course, term) for address in addresses})),
        )

    def includes(self, user: str, course: str, term: str) -> bool:
        """Return whether this user name or application id, as the workspace spells it, belongs to the staff."""
        return user.lower() in self.application_ids or hash_address(user, course, term) in self.address_hashes


@dataclass(frozen=True)
class GroupLimits:
    """A group's uptime limits, in minutes. None means no limit for the week or the term."""

    soft_minutes: float
    """The daily limit at which the group is warned."""
    hard_minutes: float
    """The daily limit at which the cluster is stopped."""
    week_minutes: float | None = None
    term_minutes: float | None = None

    @property
    def all_minutes(self) -> tuple[float, ...]:
        """All limits that are set, in no particular order."""
        return tuple(minutes for minutes in vars(self).values() if minutes is not None)


@dataclass(frozen=True)
class GroupEntry:
    """One group of a course."""

    name: str
    """The display name in the workspace, including the prefix; also the value of `GROUP_TAG`."""
    number: int
    moodle_id: str | None
    title: str
    """The group's name in Moodle, Canvas or the directory."""
    limits: GroupLimits
    principal: str | None = None
    """The display name of the directory's group that has the members and the permissions; None if it is `name`."""


@dataclass(frozen=True)
class Hours:
    """Part of a local day."""

    begins: time
    ends: time
    """On the next day if it is not later than `begins`."""

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}-{self.ends:%H:%M}"


WHOLE_DAY = Hours(time(), time())


@dataclass(frozen=True)
class CalendarEntry:
    """Days that differ from the others, such as a weekly class or a holiday."""

    kind: str
    """One of `CALENDAR_KINDS`."""
    title: str
    first_day: date
    last_day: date
    """Last day (inclusive)."""
    effect: str = USUAL
    weekday: str | None = None
    """One of `WEEKDAYS`. None means every day from the first to the last."""
    hours: Hours = WHOLE_DAY
    """Only `FREE` is possible for a part of the day."""
    groups: tuple[str, ...] = ()
    """Display names. Empty means all groups."""
    soft_minutes: float | None = None
    """The warning limit of `LIMITS`. None: the margin before the hard limit is the usual one."""
    hard_minutes: float | None = None
    is_imported: bool = False
    """Whether a calendar program exported it; an entry written in `lab.toml` overrides it."""


@dataclass(frozen=True)
class WorkingHours:
    """The hours in which the course sends warnings that are not urgent."""

    weekdays: tuple[str, ...]
    """Some of `WEEKDAYS`."""
    hours: Hours
    """`ends` is later than `begins`."""


@dataclass(frozen=True)
class PageOptions:
    """What the groups' pages need from the course's settings."""

    language: str
    """One of `PAGE_LANGUAGES`."""
    runtime: str = ""
    """The version of the clusters' runtime, such as `17.3.x-scala2.13`."""
    libraries: tuple[str, ...] = ()
    """The libraries of the clusters, for display."""


@dataclass(frozen=True)
class TimeRequestSettings:
    """Whether groups can ask for more time in a file."""

    expire_days: int = 7
    """Days after which a time request expires if nobody answers it."""


@dataclass(frozen=True)
class ExtensionSettings:
    """What the lab grants at once to a group that asks for more time."""

    minutes: int
    """The most that is granted at once; staff decide about more."""
    per_week: int
    not_in: tuple[str, ...] = ()
    """Some of `CALENDAR_KINDS`: nothing is granted on days with such entries."""


@dataclass(frozen=True)
class CourseFile:
    """A course with its groups and limits, as the course file stores it."""

    course: str
    term: str
    title: str
    timezone: str
    """The name of an IANA time zone. Whether it exists is not checked here."""
    first_day: date
    last_day: date
    first_weekday: str
    """One of `WEEKDAYS`."""
    count_all_sessions: bool
    """Whether sessions started by staff or by the deployment count against the group's quota."""
    groups: tuple[GroupEntry, ...] = ()
    staff: StaffIds = StaffIds()
    """Empty in a version 1 file."""
    calendar: tuple[CalendarEntry, ...] = ()
    working_hours: WorkingHours | None = None
    pages: PageOptions | None = None
    """None if the groups have no pages."""
    requests: TimeRequestSettings | None = None
    """None: groups cannot ask for more time in a file."""
    extensions: ExtensionSettings | None = None
    """None: staff decide about every time request."""
    weekly_digest: bool = True
    """Whether the staff get a mail about each week."""


def hash_address(address: str, course: str, term: str) -> str:
    """Return the SHA-256 of an address in lower case, with course and term as salt.

    The hash keeps addresses out of the file but does not protect them: anyone can compare a guessed address with it.
    """
    return hashlib.sha256(f"{course}\n{term}\n{address.lower()}".encode("utf-8", "surrogatepass")).hexdigest()


def folder_of(course: str, term: str) -> str:
    """Return the workspace folder for a course in a term."""
    return f"/lab-{course}-{term}"


def is_course_folder(path: str) -> bool:
    """Return whether a workspace path is one that `folder_of` returns."""
    return bool(_COURSE_FOLDER.fullmatch(path))


def is_in_page_folder(path: str) -> bool:
    """Return whether a workspace path is below a course's folder of pages, which the enforcer rewrites at any time."""
    parts = path.split("/")
    return len(parts) > 3 and parts[2] == GROUPS and is_course_folder("/".join(parts[:2]))


def path_of(course: str, term: str) -> str:
    """Return the workspace path of the course file."""
    return f"{folder_of(course, term)}/{FILE_NAME}"


def cluster_tags(*, course: str, term: str, group: str) -> dict[str, str]:
    """Return the tags of a group's cluster. They never change during a term, because a change restarts the cluster."""
    return {ORIGIN_TAG: ORIGIN, COURSE_TAG: course, TERM_TAG: term, GROUP_TAG: group}


def legacy_group_of(cluster_name: str) -> str | None:
    """Return the group of a cluster without tags by its legacy name, such as `cluster_01`; None for any other name."""
    match = _LEGACY_CLUSTER.fullmatch(cluster_name)
    return f"group_{match[1]}" if match else None


def format_course_file(course: CourseFile) -> str:
    """Return the file's content as a string; equal values give equal strings."""
    document = {
        "version": VERSION if any(group.principal for group in course.groups) else VERSION_WITHOUT_PRINCIPALS,
        "course": course.course,
        "term": course.term,
        "title": course.title,
        "timezone": course.timezone,
        "first_day": course.first_day.isoformat(),
        "last_day": course.last_day.isoformat(),
        "first_weekday": course.first_weekday,
        "count_all_sessions": course.count_all_sessions,
        "staff": {
            "application_ids": list(course.staff.application_ids),
            "address_hashes": list(course.staff.address_hashes),
        },
        "groups": [_group_document(group) for group in course.groups],
        **({"calendar": [_entry_document(entry) for entry in course.calendar]} if course.calendar else {}),
    }
    if course.working_hours:
        document["working_hours"] = {
            "weekdays": list(course.working_hours.weekdays),
            "hours": str(course.working_hours.hours),
        }
    if course.pages:
        document["pages"] = {
            "language": course.pages.language,
            "runtime": course.pages.runtime,
            "libraries": list(course.pages.libraries),
        }
    if course.requests:
        document["requests"] = {"expire_days": course.requests.expire_days}
    if course.extensions:
        document["extensions"] = {
            "minutes": course.extensions.minutes,
            "per_week": course.extensions.per_week,
            "not_in": list(course.extensions.not_in),
        }
    if not course.weekly_digest:
        document["weekly_digest"] = False
    return json.dumps({**document, _CHECKSUM: checksum(document)}, ensure_ascii=False, indent=2) + "\n"


def _group_document(group: GroupEntry) -> dict[str, Any]:
    limits = group.limits
    return {
        "name": group.name,
        **({"principal": group.principal} if group.principal else {}),
        "number": group.number,
        "moodle_id": group.moodle_id,
        "title": group.title,
        "limits": {
            "soft_minutes": limits.soft_minutes,
            "hard_minutes": limits.hard_minutes,
            "week_minutes": limits.week_minutes,
            "term_minutes": limits.term_minutes,
        },
    }


def _entry_document(entry: CalendarEntry) -> dict[str, Any]:
    optional = {
        "weekday": entry.weekday,
        "hours": None if entry.hours == WHOLE_DAY else str(entry.hours),
        "groups": list(entry.groups) or None,
        "soft_minutes": entry.soft_minutes,
        "hard_minutes": entry.hard_minutes,
        "imported": entry.is_imported or None,
    }
    return {
        "kind": entry.kind,
        "title": entry.title,
        "first_day": entry.first_day.isoformat(),
        "last_day": entry.last_day.isoformat(),
        "effect": entry.effect,
        **{key: value for key, value in optional.items() if value is not None},
    }


def parse_course_file(text: str, file_name: str) -> CourseFile:
    """Return the content of a course file. Unknown keys are ignored, and the checksum is not verified.

    `file_name` is for error messages. Raises CourseFileError, and NewerCourseFile for a version above VERSION.
    """
    try:
        document = json.loads(text)
        _check_version(document["version"], file_name)
        return CourseFile(
            _string(document["course"]),
            _string(document["term"]),
            _string(document["title"]),
            _string(document["timezone"]),
            date.fromisoformat(document["first_day"]),
            date.fromisoformat(document["last_day"]),
            _weekday(document["first_weekday"]),
            _boolean(document["count_all_sessions"]),
            tuple(_group(group) for group in document["groups"]),
            _staff(document.get("staff", {})),
            tuple(_entry(entry) for entry in document.get("calendar") or ()),
            _working_hours(document["working_hours"]) if document.get("working_hours") else None,
            _pages(document["pages"]) if document.get("pages") else None,
            _requests(document.get("requests")),
            _extensions(document["extensions"]) if document.get("extensions") else None,
            _boolean(document.get("weekly_digest", True)),
        )
    except CourseFileError:
        raise
    except KeyError as error:
        raise CourseFileError(f"{file_name}: {error.args[0]} is missing; deploy the course again") from None
    except (AttributeError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise CourseFileError(f"{file_name} is not a course file ({error}); deploy the course again") from None


def _check_version(version: Any, file_name: str) -> None:
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ValueError(f"{version!r} is not a version")
    if version > VERSION:
        raise NewerCourseFile(
            f"{file_name} has version {version}, but this program reads versions up to {VERSION}; update the enforcer "
            "before deploying"
        )


def _staff(document: Any) -> StaffIds:
    if not isinstance(document, dict):
        raise TypeError(f"{document!r} is not a table")
    return StaffIds(
        tuple(_string(id).lower() for id in document.get("application_ids") or ()),
        tuple(_string(hashed) for hashed in document.get("address_hashes") or ()),
    )


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    value.encode()  # raises for a lone surrogate, which neither a database nor an email can contain
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _weekday(name: Any) -> str:
    if name not in WEEKDAYS:
        raise ValueError(f"{name!r} is not a day of the week")
    return str(name)


def _group(document: Mapping[str, Any]) -> GroupEntry:
    limits = document["limits"]
    moodle_id = document.get("moodle_id")
    return GroupEntry(
        _string(document["name"]),
        _integer(document["number"]),
        None if moodle_id is None else _string(moodle_id),
        _string(document["title"]),
        GroupLimits(
            _minutes(limits["soft_minutes"]),
            _minutes(limits["hard_minutes"]),
            None if limits.get("week_minutes") is None else _minutes(limits["week_minutes"]),
            None if limits.get("term_minutes") is None else _minutes(limits["term_minutes"]),
        ),
        _string(document["principal"]) if document.get("principal") else None,
    )


def _entry(document: Mapping[str, Any]) -> CalendarEntry:
    soft, hard = (
        None if document.get(key) is None else _minutes(document[key]) for key in ("soft_minutes", "hard_minutes")
    )
    entry = CalendarEntry(
        _one_of(CALENDAR_KINDS, document["kind"]),
        _string(document["title"]),
        date.fromisoformat(document["first_day"]),
        date.fromisoformat(document["last_day"]),
        _one_of((USUAL, FREE, UNLIMITED, BLOCKED, LIMITS), document["effect"]),
        None if document.get("weekday") is None else _weekday(document["weekday"]),
        WHOLE_DAY if document.get("hours") is None else parse_hours(_string(document["hours"])),
        tuple(_string(group) for group in document.get("groups") or ()),
        soft,
        hard,
        _boolean(document.get("imported", False)),
    )
    if (entry.effect == LIMITS) is (hard is None):
        raise ValueError(f"the effect {entry.effect!r} does not match hard_minutes {hard!r}")
    return entry


def _working_hours(document: Mapping[str, Any]) -> WorkingHours:
    hours = parse_hours(_string(document["hours"]))
    if hours.ends <= hours.begins:
        raise ValueError(f"the working hours {hours} must end later on the same day")
    return WorkingHours(tuple(_weekday(name) for name in document["weekdays"]), hours)


def _pages(document: Mapping[str, Any]) -> PageOptions:
    return PageOptions(
        _one_of(PAGE_LANGUAGES, document["language"]),
        _string(document.get("runtime") or ""),
        tuple(_string(library) for library in document.get("libraries") or ()),
    )


def _requests(document: Any) -> TimeRequestSettings | None:
    if document is None:
        return None
    return TimeRequestSettings(_positive(document.get("expire_days", TimeRequestSettings.expire_days)))


def _extensions(document: Mapping[str, Any]) -> ExtensionSettings:
    kinds = tuple(_one_of(CALENDAR_KINDS, kind) for kind in document.get("not_in") or ())
    return ExtensionSettings(_positive(document["minutes"]), _positive(document["per_week"]), kinds)


def _positive(value: Any) -> int:
    number = _integer(value)
    if not 0 < number <= _MOST:
        raise ValueError(f"{number} is not a whole number from 1 to {_MOST}")
    return number


def parse_hours(text: str) -> Hours:
    """Return the part of a day such as `10:00-12:00`. Raises ValueError."""
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d) ?[-–] ?([01]?\d|2[0-3]):([0-5]\d)", text, re.ASCII)
    if match is None:
        raise ValueError(f"{text!r} is not a part of a day such as 10:00-12:00")
    hours = Hours(time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4])))
    if hours.begins == hours.ends:
        raise ValueError(f"{text!r} has the same start and end")
    return hours


def _one_of(names: Iterable[str], name: Any) -> str:
    if name not in names:
        raise ValueError(f"{name!r} is not one of {', '.join(names)}")
    return str(name)


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _minutes(number: Any) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError(f"{number!r} is not a number of minutes")
    if not 0 <= number < math.inf:
        raise ValueError(f"{number} is not a number of minutes")
    return number


def checksum(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document without its checksum; it does not depend on white space or the order of keys."""
    content = {key: value for key, value in document.items() if key != _CHECKSUM}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def has_valid_checksum(content: str | bytes) -> bool:
    """Return whether a course file is unchanged since the deployment wrote it; False for anything but a course file."""
    try:
        document = json.loads(content)
    except (RecursionError, ValueError):
        return False
    return isinstance(document, dict) and document.get(_CHECKSUM) == checksum(document)

"""Checks of an installation for `doctor`; each returns findings, which are printed one per line. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from enforcer.domain.course import Course
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.snapshot import group_of
from enforcer.mail.messages import problems_of
from enforcer.settings import Settings
from enforcer.workspace.directory import Grant, GroupInfo, UserInfo
from labkit.course_file import ADMINS, ALL_USERS, has_valid_checksum
from labkit.workspace.expected import EXPECTED_HOST, EXPECTED_ID, WorkspaceExpectation, WorkspaceIdentity, mismatch

SKEW = timedelta(minutes=1)
"""Maximum clock difference; with a larger one groups are stopped too early or too late."""
SILENCE = timedelta(minutes=30)
"""Maximum time since the last poll: two intervals of cron."""
STARTING = frozenset({"CAN_RESTART", "CAN_MANAGE"})
SHOWN = 5
"""Maximum number of problems to report for a check, or of names in a finding."""


class Status(Enum):
    OK = "ok"
    NOTE = "note"
    FAILS = "fails"


@dataclass(frozen=True)
class Finding:
    check: str
    status: Status
    message: str


def findings(check: str, problems: Iterable[str], ok: str) -> list[Finding]:
    """Return one finding per problem, or one with the message `ok`; beyond `SHOWN` problems, one with a count."""
    all_problems = list(problems)
    lines = all_problems[:SHOWN] + ([f"and {len(all_problems) - SHOWN} more"] if len(all_problems) > SHOWN else [])
    return [Finding(check, Status.FAILS, line) for line in lines] or [Finding(check, Status.OK, ok)]


def rights(user: str, groups: frozenset[str], unmanaged: Iterable[str]) -> Finding:
    """Check that `user`, a member of `groups`, may manage permissions. `unmanaged` are lab clusters on which it may
    not."""
    if ADMINS in groups:
        return Finding("rights", Status.OK, f"{user} is a workspace administrator")
    missing = list(unmanaged)
    if missing:
        names = ", ".join(missing[:SHOWN]) + (" and others" if len(missing) > SHOWN else "")
        message = (
            f"{user} may not manage {names}; make it an administrator, or add it to [staff] in lab.toml and deploy"
        )
        return Finding("rights", Status.FAILS, message)
    message = (
        f"{user} is not an administrator; it has to be in [staff] in lab.toml, because deployments remove other grants"
    )
    return Finding("rights", Status.NOTE, message)


def expected(identity: WorkspaceIdentity, expectation: WorkspaceExpectation) -> Finding:
    """Check that the settings specify the workspace that may be changed, and that it is this workspace."""
    if not expectation.is_set:
        here = f"{EXPECTED_ID}={identity.workspace_id}" if identity.workspace_id else f"{EXPECTED_HOST}={identity.host}"
        message = f"no expected workspace is set, so any workspace may be changed; set {here}"
        return Finding("expected workspace", Status.NOTE, message)
    problem = mismatch(identity, expectation)
    message = f"{identity.workspace_id or 'unknown id'} at {identity.host}, as expected"
    return Finding("expected workspace", Status.FAILS if problem else Status.OK, problem or message)


def settings_file(path: str, mode: int) -> Finding:
    """Check that only the owner can read the file with tokens and keys. `mode` is the mode from `stat`."""
    if mode & 0o077:
        return Finding(".env", Status.FAILS, f"{path} is accessible to other users; run chmod 600")
    return Finding(".env", Status.OK, f"only the owner can read {path}")


def mail(settings: Settings, *, waiting: int) -> list[Finding]:
    """Check the mail settings and templates. `waiting` is the number of messages in the outbox."""
    problems = []
    if settings.mail is None:
        problems.append("no AZURE_EMAIL_… settings, so messages stay in the outbox")
    if settings.admin_email is None:
        problems.append(
            "ADMIN_EMAIL is not set, so copies, crash reports and messages that were given up have no recipient"
        )
    if not settings.report_recipients:
        problems.append("REPORT_RECIPIENT_EMAIL is not set, so the report has no recipient")
    if settings.mail_templates:
        problems += problems_of(settings.mail_templates)
    queue = f"{waiting} messages pending" if waiting else "no messages pending"
    sender = settings.mail.sender if settings.mail else ""
    return findings("mail", problems, f"from {sender}; {queue}; `test-email` sends a test message")


def clock(now: datetime, workspace_time: datetime | None, *, is_rehearsal: bool) -> Finding:
    """Compare this machine's clock with the time in the workspace's responses, or None if they have none."""
    if is_rehearsal:
        return Finding(
            "clock", Status.NOTE, f"LAB_CLOCK shows {now:%Y-%m-%d %H:%M} UTC; the machine's clock is not used"
        )
    if workspace_time is None:
        return Finding("clock", Status.NOTE, "the workspace's responses have no time to compare with")
    off = abs(now - workspace_time)
    if off > SKEW:
        message = (
            f"this machine's clock is off by {round(off.total_seconds())} seconds from the workspace's; synchronise it"
        )
        return Finding("clock", Status.FAILS, message)
    return Finding("clock", Status.OK, "agrees with the workspace's clock")


def course(settings: Settings, chosen: tuple[str, str] | None) -> Finding:
    """Report the managed course and what selects it. `chosen` is its id and term; None if no cluster has tags."""
    if settings.course and settings.term:
        return Finding("course", Status.OK, f"{settings.course} {settings.term}, selected by LAB_COURSE and LAB_TERM")
    advice = "set LAB_COURSE and LAB_TERM"
    if chosen is None:
        message = (
            f"no cluster has the tags of a lab, so clusters are identified by names of the legacy system; {advice}"
        )
        return Finding("course", Status.NOTE, f"{message} to their course, or deploy a course")
    message = (
        f"{' '.join(chosen)}, the only course in the tags of lab clusters; {advice} before another course is deployed"
    )
    return Finding("course", Status.NOTE, message)


def zone(settings: Settings, course: Course, *, has_file: bool) -> Finding:
    """Check that LAB_TIMEZONE and the course file agree, or that one of them specifies the time zone."""
    in_course = str(course.calendar.tz)
    if not has_file:
        if settings.timezone is None:
            return Finding("zone", Status.FAILS, "neither a course file nor LAB_TIMEZONE specifies the time zone")
        return Finding("zone", Status.NOTE, f"{settings.timezone}, from LAB_TIMEZONE, because there is no course file")
    if settings.timezone not in (None, in_course):
        message = (
            f"LAB_TIMEZONE is {settings.timezone}, but the course file has {in_course} and takes precedence; "
            "make them equal"
        )
        return Finding("zone", Status.FAILS, message)
    return Finding("zone", Status.OK, in_course)


def course_file(
    text: str | None,
    path: str,
    course: Course,
    clusters: Iterable[ObservedCluster],
    problems: Iterable[str],
    now: datetime,
) -> list[Finding]:
    """Check the course file. `text` is its content, None if it does not exist; `problems` occurred in reading it."""
    all_problems = list(problems)
    if text is not None and not all_problems and not has_valid_checksum(text):
        all_problems.append(f"{path} was edited by hand; deploy the course again")
    if text is None and not all_problems:
        message = (
            f"{path} does not exist, so the last known limits, or the limits in the settings, apply; deploy the course"
        )
        return [Finding("course file", Status.FAILS, message)]
    names = {group_of(cluster) for cluster in clusters}
    all_problems += [f"{name} has no cluster" for name in sorted(course.groups.keys() - names)]
    all_problems += [f"{name} has a cluster, but is not in the file" for name in sorted(names - course.groups.keys())]
    today = now.astimezone(course.calendar.tz).date()
    span = f"{course.calendar.first_day} to {course.calendar.last_day}"
    if today > course.calendar.last_day:
        span = f"{span}, which is over"
    return findings("course file", all_problems, f"{course.title}, {len(course.groups)} groups, {span}")


def last_poll(polled: datetime | None, now: datetime) -> Finding:
    """Check that the last poll was recent."""
    if polled is None:
        return Finding("last poll", Status.FAILS, "no poll has used this ledger yet; set up cron or the service")
    ago = now - polled
    message = f"{polled:%Y-%m-%d %H:%M} UTC, {round(ago.total_seconds() / 60)} minutes ago"
    late = ago > SILENCE
    return Finding("last poll", Status.FAILS if late else Status.OK, message + ("; is cron running?" if late else ""))


def other_routes(
    course: Course,
    clusters: Iterable[ObservedCluster],
    grants: Mapping[str, Iterable[Grant]],
    groups: Iterable[GroupInfo],
    people: Iterable[UserInfo],
) -> list[Finding]:
    """Find students with more permissions than a deployment grants: to start a cluster through other grants, or to
    manage it.
    """
    clusters, groups = tuple(clusters), tuple(groups)
    addresses = {person.id: person.address for person in people}
    within = {group.name: _all_members(group, groups) for group in groups}
    of_lab = {course.principal_of(group_of(cluster)) for cluster in clusters}
    students = {id for name in of_lab for id in within.get(name, ()) if id in addresses}
    ids = {address: id for id, address in addresses.items()}
    problems = []
    for cluster in clusters:
        for grant in grants.get(cluster.id, ()):
            if grant.level not in STARTING:
                continue
            if grant.kind == "group" and grant.principal == course.principal_of(group_of(cluster)):
                if grant.level == "CAN_MANAGE" and not grant.is_inherited:
                    problems.append(
                        f"{grant.principal} has CAN_MANAGE on its own cluster {cluster.name}; deploy the course again"
                    )
                continue
            if grant.kind == "user" and ids.get(grant.principal) in students:
                problems.append(f"{grant.principal} has {grant.level} on {cluster.name}")
            elif grant.kind == "group" and (by := students & within.get(grant.principal, frozenset())):
                who = ", ".join(sorted(addresses[id] for id in by)[:SHOWN])
                problems.append(f"{who} has {grant.level} on {cluster.name} through {grant.principal}")
    return findings(
        "other routes", dict.fromkeys(problems), "students can start lab clusters only as members of the lab's groups"
    )


def beyond_quota(
    groups: Iterable[GroupInfo], people: Iterable[UserInfo], of_lab: Iterable[str], usable: Mapping[str, int]
) -> Finding:
    """Report what students can use beyond the quota. `usable` maps kinds of objects to the number that all users may
    use.
    """
    groups = tuple(groups)
    chosen = set(of_lab)
    around = {g.id for g in groups if g.name in chosen}
    students = {id for group in groups if group.name in chosen for id in group.member_ids}
    options = ["serverless notebooks, which a deployment cannot turn off"]
    entitled = [(p.address, p.entitlements) for p in people if p.id in students]
    entitled += [
        (g.name, g.entitlements) for g in groups if g.name == ALL_USERS or g.id in around or around & set(g.member_ids)
    ]
    for entitlement, what in (("databricks-sql-access", "SQL warehouses"), ("allow-cluster-create", "own clusters")):
        by = sorted({name for name, given in entitled if entitlement in given})
        if by:
            options.append(f"{what} ({entitlement} of {', '.join(by[:SHOWN])})")
    options += [f"{kind} ({count} that all users may use)" for kind, count in usable.items() if count]
    return Finding("beyond the quota", Status.NOTE, "students can also use " + "; ".join(options))


def _all_members(group: GroupInfo, groups: tuple[GroupInfo, ...]) -> frozenset[str]:
    """Return the ids of all members, including those of nested groups."""
    members = {each.id: each.member_ids for each in groups}
    seen: set[str] = set()
    waiting = list(group.member_ids)
    while waiting:
        id = waiting.pop()
        if id not in seen:
            seen.add(id)
            waiting += members.get(id, ())
    return frozenset(seen)

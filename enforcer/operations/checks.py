"""What is wrong, or worth knowing, with an installation: one finding a line. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from enforcer.domain.course import Course
from enforcer.domain.observations import SeenCluster
from enforcer.domain.snapshot import group_of
from enforcer.mail.messages import problems_of
from enforcer.settings import Settings
from enforcer.workspace.directory import Grant, HeldGroup, Person
from labkit.course_file import ADMINS, ALL_USERS, has_valid_checksum
from labkit.workspace.expected import EXPECTED_HOST, EXPECTED_ID, WorkspaceExpectation, WorkspaceIdentity, mismatch

SKEW = timedelta(minutes=1)
"""A machine whose clock is further off than this stops groups too early or too late."""
SILENCE = timedelta(minutes=30)
"""Two of cron's polls; after that something is wrong."""
STARTING = frozenset({"CAN_RESTART", "CAN_MANAGE"})
SHOWN = 5


class Status(Enum):
    OK = "ok"
    NOTE = "note"
    FAILS = "fails"


@dataclass(frozen=True)
class Finding:
    check: str
    status: Status
    message: str


def found(check: str, problems: Iterable[str], well: str) -> list[Finding]:
    """A finding for each problem, or one that all is well; of more than `SHOWN` problems the last one is a count."""
    told = list(problems)
    lines = told[:SHOWN] + ([f"and {len(told) - SHOWN} more"] if len(told) > SHOWN else [])
    return [Finding(check, Status.FAILS, line) for line in lines] or [Finding(check, Status.OK, well)]


def rights(who: str, groups: frozenset[str], unmanaged: Iterable[str]) -> Finding:
    """`unmanaged`: the lab clusters on which `who`, who is in these groups, may not manage permissions."""
    if ADMINS in groups:
        return Finding("rights", Status.OK, f"{who} is a workspace administrator")
    missing = list(unmanaged)
    if missing:
        names = ", ".join(missing[:SHOWN]) + (" and others" if len(missing) > SHOWN else "")
        says = f"{who} may not manage {names}; make it an administrator, or name it in [staff] of lab.toml and deploy"
        return Finding("rights", Status.FAILS, says)
    says = f"{who} is no administrator; it has to be in [staff] of lab.toml, for each deploy removes other grants"
    return Finding("rights", Status.NOTE, says)


def expected(identity: WorkspaceIdentity, expectation: WorkspaceExpectation) -> Finding:
    """Whether it is said which workspace may be changed, and whether the live one is it."""
    if not expectation.is_set:
        here = f"{EXPECTED_ID}={identity.workspace_id}" if identity.workspace_id else f"{EXPECTED_HOST}={identity.host}"
        says = f"nothing is expected, so any workspace may be changed; set {here}"
        return Finding("expected workspace", Status.NOTE, says)
    problem = mismatch(identity, expectation)
    says = f"{identity.workspace_id or 'unknown id'} at {identity.host}, as expected"
    return Finding("expected workspace", Status.FAILS if problem else Status.OK, problem or says)


def settings_file(path: str, mode: int) -> Finding:
    """Whether only its owner can read the file that holds tokens and keys. `mode` is what `stat` gives."""
    if mode & 0o077:
        return Finding(".env", Status.FAILS, f"{path} can be read or written by others; chmod 600")
    return Finding(".env", Status.OK, f"{path} is its owner's alone")


def mail(settings: Settings, *, waiting: int) -> list[Finding]:
    problems = []
    if settings.mail is None:
        problems.append("no AZURE_EMAIL_… settings, so letters wait in the outbox")
    if settings.admin is None:
        problems.append("ADMIN_EMAIL is not set, so nobody gets copies, crashes or letters that were given up")
    if not settings.report_to:
        problems.append("REPORT_RECIPIENT_EMAIL is not set, so nobody gets the report")
    if settings.mail_templates:
        problems += problems_of(settings.mail_templates)
    queue = f"{waiting} letters wait" if waiting else "no letter waits"
    sender = settings.mail.sender if settings.mail else ""
    return found("mail", problems, f"from {sender}; {queue}; `test-email` sends one")


def clock(now: datetime, workspace_says: datetime | None, *, is_rehearsal: bool) -> Finding:
    """`workspace_says`: the time in the workspace's answers, where there is one."""
    if is_rehearsal:
        return Finding("clock", Status.NOTE, f"LAB_CLOCK shows {now:%Y-%m-%d %H:%M} UTC; the machine's is not used")
    if workspace_says is None:
        return Finding("clock", Status.NOTE, "the workspace's answers tell no time to compare with")
    off = abs(now - workspace_says)
    if off > SKEW:
        says = f"this machine's clock is {round(off.total_seconds())} seconds off the workspace's; synchronise it"
        return Finding("clock", Status.FAILS, says)
    return Finding("clock", Status.OK, "agrees with the workspace's")


def course(settings: Settings, chosen: tuple[str, str] | None) -> Finding:
    """Which course is served, and which setting says so. `chosen` is its id and term; None: no cluster has tags."""
    if settings.course and settings.term:
        return Finding("course", Status.OK, f"{settings.course} {settings.term}, as LAB_COURSE and LAB_TERM say")
    advice = "set LAB_COURSE and LAB_TERM"
    if chosen is None:
        says = f"no cluster has the tags of a lab, so clusters are known by the earlier system's names; {advice}"
        return Finding("course", Status.NOTE, f"{says} to the course to which they belong, or deploy one")
    says = f"{' '.join(chosen)}, the only one that clusters of a lab name; {advice} before there is another"
    return Finding("course", Status.NOTE, says)


def zone(settings: Settings, course: Course, *, has_file: bool) -> Finding:
    in_course = str(course.calendar.tz)
    if not has_file:
        if settings.zone is None:
            return Finding("zone", Status.FAILS, "neither a course file nor LAB_TIMEZONE says when a day begins")
        return Finding("zone", Status.NOTE, f"{settings.zone}, from LAB_TIMEZONE, because there is no course file")
    if settings.zone not in (None, in_course):
        says = f"LAB_TIMEZONE is {settings.zone} and the course file says {in_course}, which counts; make them agree"
        return Finding("zone", Status.FAILS, says)
    return Finding("zone", Status.OK, in_course)


def course_file(
    text: str | None, path: str, course: Course, clusters: Iterable[SeenCluster], problems: Iterable[str], now: datetime
) -> list[Finding]:
    """`text`: what lies in the workspace now, None for nothing; `problems`: what was said about reading it."""
    told = list(problems)
    if text is not None and not told and not has_valid_checksum(text):
        told.append(f"{path} was edited by hand; deploy the course again")
    if text is None and not told:
        says = f"{path} does not exist, so the limits last seen or those of the settings hold; deploy the course"
        return [Finding("course file", Status.FAILS, says)]
    names = {group_of(cluster) for cluster in clusters}
    told += [f"{name} has no cluster" for name in sorted(course.groups.keys() - names)]
    told += [f"{name} has a cluster and is not in the file" for name in sorted(names - course.groups.keys())]
    today = now.astimezone(course.calendar.tz).date()
    span = f"{course.calendar.first_day} to {course.calendar.last_day}"
    if today > course.calendar.last_day:
        span = f"{span}, which is over"
    return found("course file", told, f"{course.title}, {len(course.groups)} groups, {span}")


def last_poll(polled: datetime | None, now: datetime) -> Finding:
    if polled is None:
        return Finding("last poll", Status.FAILS, "none has run with this ledger; set up cron or the service")
    ago = now - polled
    says = f"{polled:%Y-%m-%d %H:%M} UTC, {round(ago.total_seconds() / 60)} minutes ago"
    late = ago > SILENCE
    return Finding("last poll", Status.FAILS if late else Status.OK, says + ("; is cron running?" if late else ""))


def other_routes(
    clusters: Iterable[SeenCluster],
    grants: Mapping[str, Iterable[Grant]],
    groups: Iterable[HeldGroup],
    people: Iterable[Person],
) -> list[Finding]:
    """Students who may do more than the deploy lets them: start a cluster by another grant, or manage their own."""
    clusters, groups = tuple(clusters), tuple(groups)
    addresses = {person.id: person.address for person in people}
    within = {group.name: _everybody(group, groups) for group in groups}
    of_lab = {group_of(cluster) for cluster in clusters}
    students = {id for name in of_lab for id in within.get(name, ()) if id in addresses}
    ids = {address: id for id, address in addresses.items()}
    told = []
    for cluster in clusters:
        for grant in grants.get(cluster.id, ()):
            if grant.level not in STARTING:
                continue
            if grant.kind == "group" and grant.principal == group_of(cluster):
                if grant.level == "CAN_MANAGE" and not grant.is_inherited:
                    told.append(f"{grant.principal} has CAN_MANAGE on its own {cluster.name}; deploy the course again")
                continue
            if grant.kind == "user" and ids.get(grant.principal) in students:
                told.append(f"{grant.principal} has {grant.level} on {cluster.name}")
            elif grant.kind == "group" and (by := students & within.get(grant.principal, frozenset())):
                who = ", ".join(sorted(addresses[id] for id in by)[:SHOWN])
                told.append(f"{who} has {grant.level} on {cluster.name} by {grant.principal}")
    return found("other routes", dict.fromkeys(told), "no student may start a lab cluster but by the lab's group")


def beyond_quota(
    groups: Iterable[HeldGroup], people: Iterable[Person], of_lab: Iterable[str], usable: Mapping[str, int]
) -> Finding:
    """What students can spend on besides the lab's clusters. `usable`: how many things of a kind all users may use."""
    groups = tuple(groups)
    chosen = set(of_lab)
    around = {g.id for g in groups if g.name in chosen}
    students = {id for group in groups if group.name in chosen for id in group.member_ids}
    told = ["serverless notebooks, which no setting of a deploy turns off"]
    own = [(p.address, p.entitlements) for p in people if p.id in students]
    own += [
        (g.name, g.entitlements) for g in groups if g.name == ALL_USERS or g.id in around or around & set(g.member_ids)
    ]
    for entitlement, what in (("databricks-sql-access", "SQL warehouses"), ("allow-cluster-create", "own clusters")):
        by = sorted({name for name, given in own if entitlement in given})
        if by:
            told.append(f"{what} ({entitlement} of {', '.join(by[:SHOWN])})")
    told += [f"{kind} ({count} that all users may use)" for kind, count in usable.items() if count]
    return Finding("beyond the quota", Status.NOTE, "students can also use " + "; ".join(told))


def _everybody(group: HeldGroup, groups: tuple[HeldGroup, ...]) -> frozenset[str]:
    """The ids of all members, by groups in the group as well."""
    members = {each.id: each.member_ids for each in groups}
    seen: set[str] = set()
    waiting = list(group.member_ids)
    while waiting:
        id = waiting.pop()
        if id not in seen:
            seen.add(id)
            waiting += members.get(id, ())
    return frozenset(seen)

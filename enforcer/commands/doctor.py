"""`doctor`: checks everything that the enforcer needs."""

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path

import click
from peewee import DatabaseError

from enforcer.commands import context
from enforcer.commands.workspace_context import connected
from enforcer.domain.snapshot import group_of
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger, open_copy
from enforcer.ledger.stored_messages import waiting_count
from enforcer.operations import checks
from enforcer.operations.checks import Finding, Status
from enforcer.pages.read_back import page_problems
from enforcer.pages.render import problems_of
from enforcer.settings import Settings, SettingsError
from enforcer.tick.collect import LabState, read_lab_state
from enforcer.time_requests.read_back import request_file_problems
from enforcer.workspace.admin_listing import AdminListing
from enforcer.workspace.client import Workspace
from enforcer.workspace.directory import Grant
from enforcer.workspace.errors import WorkspaceError
from enforcer.workspace.tasks import in_parallel
from labkit import clock, exit_status
from labkit.addresses import is_database_url
from labkit.course_file import ALLOWANCES, FILE_NAME
from labkit.extras import cli, dotenv
from labkit.text import escaped

SETTINGS = "settings"
NOWHERE = ":memory:"
"""Location without a ledger, so that `open_copy` returns an empty one."""
USABLE = {
    "SQL warehouses": ("/api/2.0/sql/warehouses", "warehouses", "warehouses", "id"),
    "cluster policies": ("/api/2.0/policies/clusters/list", "policies", "cluster-policies", "policy_id"),
    "instance pools": ("/api/2.0/instance-pools/list", "instance_pools", "instance-pools", "instance_pool_id"),
}
"""Objects on which the group `users` may have permissions: kind → URL of the list, key of the list in the response,
object type in permission URLs, and key of the id.
"""


@click.command(
    "doctor",
    epilog="""
    \b
    Examples:
      python -m enforcer doctor
      python -m enforcer doctor --json
    """,
)
@cli.json_option
def command(as_json: bool) -> None:
    """Check everything that a poll needs, and print one line per check. Changes nothing.

    Exits 1 if any check fails, and 2 if a setting is invalid or missing.

    Checks settings, workspace and permissions, mail, ledger, clock and time zone, course file and allowances, the last
    poll, the groups' pages and files for time requests, and whether students can restart their cluster through other
    permissions. Also reports usage that the quota cannot limit.
    """
    findings = []
    for finding in _findings():
        findings.append(finding)
        if not as_json:
            print(escaped(f"{finding.status.value:5}  {finding.check}: {finding.message}"), flush=True)
    if as_json:
        cli.print_json([{"check": f.check, "status": f.status.value, "message": f.message} for f in findings])
    failed = {finding.check for finding in findings if finding.status is Status.FAILS}
    if SETTINGS in failed:
        raise SystemExit(exit_status.BAD_INPUT)
    raise SystemExit(exit_status.PARTLY_FAILED if failed else exit_status.DONE)


def _findings() -> Iterator[Finding]:
    try:
        settings = context.read_settings(needs_workspace=True)
    except SettingsError as error:
        yield from (Finding(SETTINGS, Status.FAILS, problem) for problem in error.problems)
        return
    yield Finding(SETTINGS, Status.OK, "complete and valid")
    settings_file = Path(dotenv.NAME).absolute()
    if settings_file.exists():
        yield checks.settings_file(str(settings_file), settings_file.stat().st_mode)
    is_readable, of_ledger = _ledger(settings)
    yield from of_ledger
    # If the ledger cannot be read, the other checks run with an empty one.
    with context.copy_of(settings) if is_readable else closing(open_copy(NOWHERE)) as ledger:
        yield from checks.mail(settings, waiting=waiting_count(ledger))
        try:
            now = clock.now(cli.environment())
        except clock.ClockError as error:
            yield Finding("clock", Status.FAILS, str(error))
            return
        if is_readable:
            yield checks.last_poll(queries.last_poll(ledger), now)
        yield from _workspace(ledger, settings, now)


def _ledger(settings: Settings) -> tuple[bool, list[Finding]]:
    """Return whether the ledger can be read, and the findings about it."""
    try:
        open_copy(settings.ledger_location).close()
    except (OSError, DatabaseError) as error:
        return False, [Finding("ledger", Status.FAILS, f"it cannot be read ({error}); check CLUSTER_UPTIMES_DB")]
    if is_database_url(settings.ledger_location):
        return True, [Finding("ledger", Status.OK, "in PostgreSQL")]
    path = Path(settings.ledger_location).expanduser()
    if not path.exists():
        return True, [Finding("ledger", Status.NOTE, f"{path} does not exist yet; the first poll creates it")]
    problems = []
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        problems.append(f"{path} is accessible to other users; run chmod 600")
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        problems.append(f"{path} or its folder cannot be written by this user")
    return True, checks.findings("ledger", problems, f"{path}, {path.stat().st_size // 1024} KiB")


def _workspace(ledger: Ledger, settings: Settings, now: datetime) -> Iterator[Finding]:
    try:
        workspace = connected(settings, is_expected=False)
        yield checks.expected(workspace.identity, settings.expected)
        lab = read_lab_state(ledger, workspace, settings, now=now)
    except SettingsError as error:
        yield from (Finding(SETTINGS, Status.FAILS, problem) for problem in error.problems)
        return
    except WorkspaceError as error:
        yield Finding("workspace", Status.FAILS, str(error))
        return
    held = AdminListing(workspace)
    yield Finding("workspace", Status.OK, f"{workspace.host} responds to {workspace.caller}")
    yield _try("clock", lambda: checks.clock(now, _time(workspace), is_rehearsal="LAB_CLOCK" in cli.environment()))
    path = f"{lab.course.folder}/{FILE_NAME}"
    text = _read(workspace, path) if lab.course_term else None
    of_file = [problem for problem in lab.problems if FILE_NAME in problem]
    yield checks.course(settings, lab.course_term)
    yield checks.zone(settings, lab.course, has_file=text is not None)
    yield from checks.course_file(text, path, lab.course, lab.clusters, of_file, now)
    rest = [problem for problem in lab.problems if problem not in of_file]
    of_allowances = [problem for problem in rest if f"/{ALLOWANCES}/" in problem]
    yield from checks.findings("allowances", of_allowances, f"{len(lab.allowances)} in force")
    others = [problem for problem in rest if problem not in of_allowances]
    yield from checks.findings("clusters", others, f"{len(lab.clusters)} in the course")
    if lab.course.pages:
        yield from _pages(workspace, settings, lab)
    if lab.course.requests:
        groups = _groups_with_cluster(lab)
        problems = request_file_problems(workspace, lab.course, groups)
        yield from checks.findings("time requests", problems, f"{len(groups)} groups can edit their own file alone")
    yield from _people(held, lab)


def _pages(workspace: Workspace, settings: Settings, lab: LabState) -> Iterator[Finding]:
    """Yield the check that each group can read its page."""
    assert lab.course.pages, "the caller checks it"
    groups = _groups_with_cluster(lab)
    problems = problems_of(settings.mail_templates, lab.course.pages.language)
    problems += page_problems(workspace, lab.course, groups)
    yield from checks.findings("pages", problems, f"{len(groups)} groups can read their pages")


def _groups_with_cluster(lab: LabState) -> frozenset[str]:
    """Return the groups in the course file that have a cluster; others have neither a page nor a file yet."""
    return frozenset(lab.course.groups.keys() & set(map(group_of, lab.clusters)))


def _people(held: AdminListing, lab: LabState) -> Iterator[Finding]:
    """Yield the checks that need the permissions of all lab clusters and all users of the workspace."""

    def grants_of(id: str) -> list[Grant] | None:
        try:
            return held.grants(id)
        except WorkspaceError:
            return None

    grants = dict(
        zip([c.id for c in lab.clusters], in_parallel([partial(grants_of, c.id) for c in lab.clusters]), strict=True)
    )
    try:
        caller, ours = held.caller()
        groups, people = held.groups(), held.users()
    except WorkspaceError as error:
        yield Finding("rights", Status.FAILS, str(error))
        return
    mine = {caller.casefold(), *ours}
    unmanaged = [
        cluster.name
        for cluster in lab.clusters
        if not any(
            g.level == "CAN_MANAGE" and (g.principal in mine or g.principal.casefold() in mine)
            for g in grants[cluster.id] or []
        )
    ]
    yield checks.rights(caller, ours, unmanaged)
    parse_entries = {id: granted for id, granted in grants.items() if granted is not None}
    yield from checks.other_routes(lab.course, lab.clusters, parse_entries, groups, people)
    of_lab = {lab.course.principal_of(group_of(cluster)) for cluster in lab.clusters}
    yield _try("beyond the quota", lambda: checks.beyond_quota(groups, people, of_lab, _usable(held)))


def _usable(held: AdminListing) -> Mapping[str, int]:
    """Return how many objects of each kind the built-in group `users` has permissions on."""
    return {kind: held.usable_by_all(*where) for kind, where in USABLE.items()}


def _try(check: str, examine: Callable[[], Finding]) -> Finding:
    try:
        return examine()
    except WorkspaceError as error:
        return Finding(check, Status.FAILS, str(error))


def _read(workspace: Workspace, path: str) -> str | None:
    try:
        return workspace.read(path)
    except WorkspaceError:
        return None


def _time(workspace: Workspace) -> datetime | None:
    header = workspace.date_header()
    try:
        return parsedate_to_datetime(header) if header else None
    except ValueError:
        return None

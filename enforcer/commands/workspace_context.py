"""Workspace and course of a command; on an error, these functions print a message and exit."""

import sys
from collections.abc import Mapping
from datetime import datetime

from enforcer.commands.context import access, copy_of
from enforcer.ledger.database import Ledger
from enforcer.settings import Settings, SettingsError
from enforcer.tick.collect import LabState, read_lab_state
from enforcer.workspace.client import Workspace, connect
from enforcer.workspace.errors import MissingCredentialError, UnreachableError, WorkspaceError
from labkit import clock, exit_status
from labkit.extras import cli
from labkit.text import escaped
from labkit.workspace.choice import WorkspaceChoice
from labkit.workspace.expected import WorkspaceIdentity, mismatch


def workspace_of(settings: Settings) -> Workspace:
    """Return the workspace; exit with status 1 if it does not respond, 2 if it must not be used."""
    workspace = workspace_or_error(settings)
    if isinstance(workspace, UnreachableError):
        print(escaped(workspace), file=sys.stderr)
        raise SystemExit(exit_status.PARTLY_FAILED)
    return workspace


def workspace_or_error(settings: Settings) -> Workspace | UnreachableError:
    """Return the workspace, or the error if it does not respond; exit with status 2 if it must not be used."""
    try:
        return connected(settings)
    except SettingsError as error:
        cli.fail(*error.problems)
    except UnreachableError as error:
        return error


def connected(settings: Settings, *, is_expected: bool = True) -> Workspace:
    """Return the connected workspace. Raises UnreachableError if it does not respond, and SettingsError for a missing
    workspace or credential, conflicting credentials, or an unexpected workspace.

    Without `is_expected`, any workspace is accepted: for a command that reports whether it is the expected one.
    """
    return connected_as(settings, access(), cli.environment(), is_expected=is_expected)


def connected_as(
    settings: Settings,
    choice: WorkspaceChoice,
    environ: Mapping[str, str],
    *,
    is_expected: bool = True,
    is_isolated: bool = False,
    connections: int | None = None,
) -> Workspace:
    """Like `connected`, but with a workspace that has been chosen. If `is_isolated`, the SDK sees only `environ`."""
    try:
        clock.require_local_workspace(environ, choice.host or "")
        workspace = connect(choice, environ=environ if is_isolated else None, connections=connections)
    except clock.ClockError as error:
        raise SettingsError([str(error)]) from None
    except MissingCredentialError as error:
        raise SettingsError([str(error)]) from None
    # The caller is read only for the message.
    here = WorkspaceIdentity(workspace.host, workspace.workspace_id, "")
    if is_expected and mismatch(here, settings.expected):
        raise SettingsError([mismatch(workspace.identity, settings.expected)])
    return workspace


def lab_of(settings: Settings, *, now: datetime) -> tuple[Workspace, LabState]:
    """Return the workspace and the state of the lab in it; print a message and exit if it cannot be read."""
    workspace = workspace_of(settings)
    with copy_of(settings) as ledger:
        return workspace, lab_in(ledger, workspace, settings, now=now)


def lab_in(ledger: Ledger, workspace: Workspace, settings: Settings, *, now: datetime) -> LabState:
    """Return the state of the lab in a workspace; print a message and exit if it cannot be read."""
    try:
        return read_lab_state(ledger, workspace, settings, now=now)
    except SettingsError as error:
        cli.fail(*error.problems)
    except WorkspaceError as error:
        print(escaped(error), file=sys.stderr)
        raise SystemExit(exit_status.PARTLY_FAILED) from None


def course_of(settings: Settings, *, now: datetime) -> tuple[Workspace, LabState]:
    """Like `lab_of`, but also exit if no course is known."""
    workspace, lab = lab_of(settings, now=now)
    if lab.course_term is None:
        cli.fail(
            "there is no course: no cluster has the tags of a lab; set LAB_COURSE and LAB_TERM, or deploy a course."
        )
    return workspace, lab

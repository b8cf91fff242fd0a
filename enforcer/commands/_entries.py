"""Shared by the commands that find or write an entry: an allowance, a revocation, or the answer to a time request."""

import sys
from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

from enforcer.domain.allowances import Allowance, Revocation
from enforcer.operations.allowance_files import write_entry
from enforcer.tick.collect import LabState
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import AlreadyExistsError, WorkspaceError
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped

Found = TypeVar("Found")


def find_by_id(id: str, known: Mapping[str, Found], kind: str, *, listed_by: str) -> Found:
    """Return the value with this id, or the only one whose id begins with it; print a message and exit if none does.

    `kind` names the values in messages, such as `allowance`; `listed_by` is the command that lists all of them.
    """
    if id in known:
        return known[id]
    found = [name for name in known if id and name.startswith(id)]
    if len(found) == 1:
        return known[found[0]]
    if found:
        cli.fail(f'several {kind}s begin with "{id}": {", ".join(sorted(found))}.')
    if not known:
        cli.fail(f'there is no {kind} "{id}": there are no {kind}s yet.')
    near = get_close_matches(id, known, n=3)
    hint = f"did you mean {', '.join(near)}?" if near else f"`{listed_by}` lists them."
    cli.fail(f'there is no {kind} "{id}"; {hint}')


def write_once(workspace: Workspace, lab: LabState, entry: Allowance | Revocation, *, failed: str) -> bool:
    """Write an entry whose id another machine would choose, too. Return False if it exists already.

    If it cannot be written, print `failed` with the reason and exit.
    """
    try:
        write_entry(workspace, lab, entry)
    except AlreadyExistsError:
        return False
    except WorkspaceError as error:
        print(escaped(f"{failed}: {error}"), file=sys.stderr)
        raise SystemExit(exit_status.PARTLY_FAILED) from None
    return True

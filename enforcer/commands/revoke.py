"""`revoke`: revokes an allowance or a block."""

import sys

import click

from enforcer.commands import context
from enforcer.commands._entries import find_by_id
from enforcer.commands._take_effect import take_effect
from enforcer.commands.workspace_context import course_of
from enforcer.domain.allowances import Allowance, Revocation
from enforcer.operations.allowance_files import new_id, path_of, revoked_by, write_entry
from enforcer.workspace.errors import WorkspaceError
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped


@click.command(
    "revoke",
    epilog="""
    \b
    Examples:
      python -m enforcer allowances                                # lists the ids
      python -m enforcer revoke 20261102T083000Z-5f0c91aa --reason "given by mistake"
    """,
)
@click.argument("id")
@click.option("--reason", default="", help="Why.")
@cli.json_option
@cli.dry_run_option
def command(id: str, reason: str, as_json: bool, dry_run: bool) -> None:
    """Revoke the allowance or block whose id is ID, or the only one whose id begins with ID.

    It is no longer in force when this command returns. The revocation is stored in a separate file and the allowance's
    file is kept, as a record of what was in force.
    """
    settings = context.settings(needs_workspace=True)
    now = cli.now()
    workspace, lab = course_of(settings, now=now)
    given = {entry.id: entry for entry in lab.entries if isinstance(entry, Allowance)}
    allowance = find_by_id(id, given, "allowance", listed_by="allowances --all")
    earlier = revoked_by(lab.entries).get(allowance.id)
    revocation = earlier or Revocation(new_id(now), allowance.id, " ".join(reason.split()), workspace.caller, now)
    if not earlier and not dry_run:
        try:
            write_entry(workspace, lab, revocation)
        except WorkspaceError as error:
            print(escaped(f"nothing was revoked: {error}"), file=sys.stderr)
            raise SystemExit(exit_status.PARTLY_FAILED) from None
    status = exit_status.DONE if dry_run else take_effect(settings)
    if as_json:
        document = {"id": revocation.id, "revokes": allowance.id, "reason": revocation.reason}
        cli.print_json(document | {"given_by": revocation.given_by, "path": path_of(lab, revocation.id)})
    else:
        result = "was already revoked" if earlier else "would be revoked" if dry_run else "revoked"
        print(escaped(f"{allowance.group or 'all groups'}, {allowance}: {result}"))
    raise SystemExit(status)

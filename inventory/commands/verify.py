"""`verify`: check that a backup is complete, and compare it with the workspace."""

import sys
from collections import Counter
from typing import Any

import click

from inventory.backup.backup_index import Backup, BackupError, list_backups
from inventory.backup.report import MAX_SHOWN
from inventory.backup.target import TargetError
from inventory.backup.verify import VerifyFinding, compare_with_workspace, verify_backup
from inventory.commands import options
from inventory.commands.signals import stop_on_signals
from inventory.results.formatting import format_size
from inventory.results.users_file import UsersFileError
from inventory.scan.homes import NothingToScan
from inventory.scan.progress import ProgressLine
from inventory.transport.client import Client
from inventory.transport.workspace import WorkspaceError
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped


@click.command(
    "verify",
    epilog="""
    \b
    Examples:
      python -m inventory verify /media/lab
      python -m inventory verify /media/lab/<host>/2026-11-27 --json
      python -m inventory verify abfss://term@account.dfs.core.windows.net/lab --live
    """,
)
@click.argument("target")
@click.option("--live", is_flag=True, help="Also compare the newest backup with the current workspace.")
@options.access
@cli.json_option
def command(
    target: str,
    live: bool,
    access: options.Access,
    as_json: bool,
) -> None:
    """Compare every file of the backups in TARGET with its manifest. Changes nothing.

    Reports missing, corrupt and added files, and with --live objects that were created or changed since the backup;
    exit status 1 for any of these. Objects deleted from the workspace since the backup are reported, but are not
    faults. TARGET may also be one backup, <host>/<date>.
    """
    client = None
    if live:
        client = options.make_client(access)
    try:
        found = list_backups(target, options.environment())
        latest = _newest_of_host(found, client.host) if client else None
        results = [_verify(backup, client if backup is latest else None) for backup in found]
    except (BackupError, TargetError, WorkspaceError, NothingToScan, UsersFileError) as error:
        raise cli.CommandError(str(error)) from None
    if as_json:
        cli.print_json({"backups": results})
    else:
        click.echo("\n".join(line for result in results for line in _lines(result)))
    sys.exit(exit_status.DONE if all(result["whole"] for result in results) else exit_status.PARTLY_FAILED)


def _newest_of_host(found: list[Backup], host: str) -> Backup:
    """Return the newest backup of this workspace. Raises BackupError."""
    of_host = [backup for backup in found if backup.read_header().host == host]
    if not of_host:
        raise BackupError(f"there is no backup of {host} in this target.")
    return of_host[-1]


def _verify(backup: Backup, client: Client | None) -> dict[str, Any]:
    index, reader = backup.read_manifest()
    with ProgressLine(terminal=sys.stderr.isatty()) as ticker:
        own_findings = verify_backup(
            backup, index, reader, lambda done: ticker.show(f"{backup.base}: {done} objects read")
        )
        findings = list(own_findings)
        if client:
            with stop_on_signals() as stop:
                findings += compare_with_workspace(client, backup, index, stop)
                if stop.is_set():
                    findings.append(VerifyFinding("unknown", backup.base, "the comparison was stopped"))
    counts = index.count_by_state()
    header, end = reader.header, reader.end
    return {
        "backup": backup.address,
        "host": header.host if header else None,
        "began_at": header.began_at if header else None,
        "finished_at": end.finished_at if end else None,
        "retain_until": header.retain_until if header else None,
        "options": header.asked if header else None,
        "compared": client is not None,
        "whole": not any(finding.is_fault for finding in findings),
        "objects": counts.get("saved", 0) + counts.get("earlier", 0),
        "size": index.total_size(),
        "left_out": counts.get("left out", 0),
        "findings": [vars(finding) for finding in sorted(findings)],
    }


def _lines(result: dict[str, Any]) -> list[str]:
    findings = result["findings"]
    lines = [
        f"{escaped(finding['kind']):8} {escaped(finding['what'])}: {escaped(finding['detail'])}"
        for finding in findings[: 10 * MAX_SHOWN]
    ]
    if len(findings) > len(lines):
        lines.append(f"and {len(findings) - len(lines)} more; --json lists all")
    kinds = Counter(finding["kind"] for finding in findings)
    compared_with = "the manifest and the workspace" if result["compared"] else "the manifest"
    verdict = ", ".join(f"{number} {kind}" for kind, number in kinds.items()) or f"all as in {compared_with}"
    return [*lines, f"{result['backup']}: {result['objects']} objects, {format_size(result['size'])}: {verdict}"]

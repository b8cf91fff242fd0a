"""`verify`: whether a backup is whole, and whether it is what the workspace has."""

import sys
from collections import Counter
from typing import Any

import click

from inventory.backup.backup_index import Backup, CatalogError, backups
from inventory.backup.report import SHOWN
from inventory.backup.target import TargetError
from inventory.backup.verify import Finding, compare, verify
from inventory.commands import options
from inventory.commands.signals import stoppable
from inventory.results.formatting import size
from inventory.results.users_file import UsersFileError
from inventory.scan.homes import NothingToScan
from inventory.scan.progress import Ticker
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
@click.option("--live", is_flag=True, help="Also compare the newest backup with the workspace as it is now.")
@options.access
@cli.json_option
def command(
    target: str,
    live: bool,
    access: options.Access,
    as_json: bool,
) -> None:
    """Read every file of the backups in TARGET again and compare it with the manifest. Changes nothing.

    Says what is missing, corrupt or added, and with --live what is missing or changed since; exit status 1 for any of
    it. What was deleted in the workspace since is said and is no fault. TARGET may also be one backup, <host>/<date>.
    """
    client = None
    if live:
        client = options.client(access)
    try:
        found = backups(target, options.environment())
        latest = _latest(found, client.host) if client else None
        results = [_verified(backup, client if backup is latest else None) for backup in found]
    except (CatalogError, TargetError, WorkspaceError, NothingToScan, UsersFileError) as error:
        raise cli.CommandError(str(error)) from None
    if as_json:
        cli.print_json({"backups": results})
    else:
        click.echo("\n".join(line for result in results for line in _lines(result)))
    sys.exit(exit_status.DONE if all(result["whole"] for result in results) else exit_status.PARTLY_FAILED)


def _latest(found: list[Backup], host: str) -> Backup:
    """The newest of the workspace that is asked. Raises CatalogError."""
    ours = [backup for backup in found if backup.header().host == host]
    if not ours:
        raise CatalogError(f"there is no backup of {host} there.")
    return ours[-1]


def _verified(backup: Backup, client: Client | None) -> dict[str, Any]:
    entries, reading = backup.read()
    with Ticker(terminal=sys.stderr.isatty()) as ticker:
        told = verify(backup, entries, reading, lambda done: ticker.say(f"{backup.base}: {done} objects read"))
        findings = list(told)
        if client:
            with stoppable() as stop:
                findings += compare(client, backup, entries, stop)
                if stop.is_set():
                    findings.append(Finding("unknown", backup.base, "the comparison was stopped"))
    counts = entries.counts()
    header, end = reading.header, reading.end
    return {
        "backup": backup.address,
        "host": header.host if header else None,
        "began_at": header.began_at if header else None,
        "finished_at": end.finished_at if end else None,
        "retain_until": header.retain_until if header else None,
        "asked": header.asked if header else None,
        "compared": client is not None,
        "whole": not any(finding.is_fault for finding in findings),
        "objects": counts.get("saved", 0) + counts.get("earlier", 0),
        "size": entries.size(),
        "left_out": counts.get("left out", 0),
        "findings": [vars(finding) for finding in sorted(findings)],
    }


def _lines(result: dict[str, Any]) -> list[str]:
    findings = result["findings"]
    lines = [
        f"{escaped(finding['kind']):8} {escaped(finding['what'])}: {escaped(finding['detail'])}"
        for finding in findings[: 10 * SHOWN]
    ]
    if len(findings) > len(lines):
        lines.append(f"and {len(findings) - len(lines)} more; --json has them all")
    kinds = Counter(finding["kind"] for finding in findings)
    against = "the manifest and the workspace" if result["compared"] else "the manifest"
    verdict = ", ".join(f"{number} {kind}" for kind, number in kinds.items()) or f"all as in {against}"
    return [*lines, f"{result['backup']}: {result['objects']} objects, {size(result['size'])}: {verdict}"]

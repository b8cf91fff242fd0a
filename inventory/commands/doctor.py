"""`doctor`: whether everything is there that a scan needs."""

import json
import platform
import sys
from pathlib import Path

import click

from inventory import options
from inventory.listing import SOURCES, Folder
from inventory.workspace import Workspace, WorkspaceError


@click.command(
    "doctor",
    epilog="""
    \b
    Examples:
      python -m inventory doctor
      python -m inventory doctor --profile lab --json
    """,
)
@options.access
@options.as_json
def command(
    profile: str | None,
    workspace_url: str | None,
    token_file: Path | None,
    token: str | None,
    debug: bool,
    as_json: bool,
) -> None:
    """Say which workspace is meant, who we are there, what we may see, and what to do about what is missing.

    Exit status 1: a scan would be possible and not complete. Changes nothing.
    """
    options.start_logging(debug=debug)
    client = options.client(profile=profile, workspace_url=workspace_url, token_file=token_file, token=token)
    workspace = Workspace(client)
    facts = {"python": platform.python_version(), "workspace": client.host}
    advice: list[str] = []
    try:
        name, groups = workspace.caller()
    except WorkspaceError as error:
        raise options.Refused(f"{error} Log in again, or check the token.") from None
    facts |= {"account": name, "groups": ", ".join(groups) or "none"}
    if "admins" not in groups:
        advice.append(f"{name} is no workspace administrator: homes of others will be refused. Ask one to scan.")
    off = workspace.dbfs_is_off()
    facts["dbfs"] = "switched off in this workspace; a scan leaves it out" if off else "on"
    for source in SOURCES:
        if source == "dbfs" and off:
            continue
        try:
            facts[f"homes in {source}"] = str(len(workspace.folders(Folder("", source, "/Users"))))
        except WorkspaceError as error:
            facts[f"homes in {source}"] = "not readable"
            advice.append(f"{error} Ask an administrator for the right to read it.")
    try:
        facts["users"] = str(sum(1 for _ in workspace.resources("Users", "userName")))
    except WorkspaceError as error:
        facts["users"] = "not readable"
        advice.append(f"{error} Name the users in a file: scan --users-file.")
    if as_json:
        click.echo(json.dumps({"facts": facts, "advice": advice}, ensure_ascii=False, indent=2))
    else:
        for fact, value in facts.items():
            click.echo(f"{fact:20} {value}")
        for sentence in advice:
            click.echo(f"! {sentence}")
    sys.exit(options.PARTLY if advice else options.DONE)

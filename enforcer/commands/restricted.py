"""`restricted`: reports the restricted groups to a deployment before it plans permissions."""

import gc
import json
import sys
from dataclasses import dataclass
from typing import Any

import click

from enforcer.workspace.errors import WorkspaceError
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped
from labkit.workspace.access import choose_and_apply
from labkit.workspace.choice import WorkspaceChoiceError, WorkspaceOptions


@dataclass(frozen=True)
class Query:
    """Terraform's query; an empty string means not given."""

    course: str
    term: str
    host: str | None = None
    profile: str | None = None


@click.command(
    "restricted",
    epilog="""
    \b
    Examples:
      echo '{"course": "94290", "term": "2026w"}' | python -m enforcer restricted
    """,
)
def command() -> None:
    """For Terraform: print the groups that are restricted because they have reached a limit.

    Program for an `external` data source. Standard input is a JSON object with course and term, and with host and
    profile if they differ from the environment. Standard output is a JSON object such as {"group_03": "day 180"}. Reads
    only the live workspace. The output is {} if there is no course file or no cluster.
    """
    try:
        query = parse_query(sys.stdin.read())
    except ValueError as error:
        cli.fail(str(error))
    now = cli.now()

    flags = WorkspaceOptions(
        query.host, profile=query.profile, url_name="the host of the query", profile_name="the profile"
    )
    try:
        # .env is not loaded, because Terraform, which runs this command, does not read it either.
        choice = choose_and_apply(cli.environment(), flags)
    except WorkspaceChoiceError as error:
        cli.fail(str(error))
    # Imported late, because each plan waits for this command, and an invalid query needs none of these modules. Garbage
    # collection would make the imports 20 % slower.
    gc.disable()
    from enforcer.tick.restricted import restricted
    from enforcer.workspace.client import connect

    gc.enable()
    try:
        workspace = connect(choice)
        found, problems = restricted(workspace, query.course, query.term, now=now)
    except WorkspaceError as error:
        print(escaped(error), file=sys.stderr)
        raise SystemExit(exit_status.PARTLY_FAILED) from None
    for problem in (*problems, *workspace.pop_problems()):
        print(escaped(problem), file=sys.stderr)
    print(json.dumps(found))


def parse_query(text: str) -> Query:
    """Parse the query of an external data source. Raises ValueError with a message for the user."""
    try:
        document: Any = json.loads(text)
    except ValueError as error:
        raise ValueError(f"standard input is not JSON ({error}); see restricted --help") from None
    if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):
        raise ValueError("standard input must be a JSON object whose values are strings; see restricted --help")
    missing = [name for name in ("course", "term") if not document.get(name)]
    if missing:
        raise ValueError(f"the query has no {' and no '.join(missing)}; see restricted --help")
    return Query(document["course"], document["term"], document.get("host") or None, document.get("profile") or None)

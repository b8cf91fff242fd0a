"""`restricted`: what the deploy asks before it plans permissions."""

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
    """What Terraform asks; an empty text is one that is not given."""

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
    """For Terraform: the groups that are lowered now because their cluster has reached a limit.

    An external data script: one JSON object on standard input with course and term, and host and profile where they
    are not the environment's; one JSON object on standard output, such as {"group_03": "day 180"}. Reads the live
    workspace and nothing else. Without a course file or clusters the answer is {}.
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
        # Not .env: Terraform, which starts this, does not read it either.
        choice = choose_and_apply(cli.environment(), flags)
    except WorkspaceChoiceError as error:
        cli.fail(str(error))
    # Each plan waits for this, and a query that is refused needs none of it. Looking for garbage meanwhile takes a
    # fifth of the time.
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
    """The query of an external data source. Raises ValueError with a sentence."""
    try:
        told: Any = json.loads(text)
    except ValueError as error:
        raise ValueError(f"standard input is no JSON ({error}); see restricted --help") from None
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        raise ValueError("standard input must be one JSON object of texts; see restricted --help")
    missing = [name for name in ("course", "term") if not told.get(name)]
    if missing:
        raise ValueError(f"the query has no {' and no '.join(missing)}; see restricted --help")
    return Query(told["course"], told["term"], told.get("host") or None, told.get("profile") or None)

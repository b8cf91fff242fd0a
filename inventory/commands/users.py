"""`users`: list the users of the workspace."""

import sys
from pathlib import Path

import click

from inventory.commands import options
from inventory.scan.users import User, list_users
from inventory.transport.workspace import WorkspaceApi, WorkspaceError
from labkit.csv_cells import write_rows
from labkit.extras import cli
from labkit.files import atomic_text_file


@click.command(
    "users",
    epilog="""
    \b
    Examples:
      python -m inventory users --output users.csv
      python -m inventory users --group students --active-only
      python -m inventory users --include-service-principals --json
    """,
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The CSV file to write, for `scan --users-file`.")
@click.option(
    "--max-users", type=click.IntRange(min=0), help="List at most this many users, in order of name; 0 means all."
)
@click.option("--active-only", is_flag=True, help="Exclude deactivated users.")
@click.option("--group", metavar="NAME", help="List only direct and nested members of this group.")
@click.option("--include-service-principals", is_flag=True, help="Include service principals, which also have homes.")
@options.access
@cli.json_option
def command(
    output: Path | None,
    max_users: int | None,
    active_only: bool,
    group: str | None,
    include_service_principals: bool,
    access: options.Access,
    as_json: bool,
) -> None:
    """List the users of the workspace. If that fails, nothing is written."""
    options.check_writable(output)
    client = options.make_client(access)
    try:
        found = list_users(
            WorkspaceApi(client), active_only=active_only, group=group, service_principals=include_service_principals
        )[: max_users or None]
    except WorkspaceError as error:
        # Exit status 1, not 2: the options are valid, the workspace failed.
        raise click.ClickException(str(error)) from None
    if output:
        with options.write_errors(output), atomic_text_file(output) as file:
            write_rows(file, users_table(found))
    if as_json:
        cli.print_json([vars(user) for user in found])
    elif not output:
        write_rows(sys.stdout, users_table(found))
    if output:
        click.echo(f"{len(found)} users in {output}", err=True)


def users_table(users: list[User]) -> list[tuple[object, ...]]:
    """Return header and rows of the user list."""
    rows = [(user.username, user.display_name, "true" if user.active else "false") for user in users]
    return [("username", "display_name", "active"), *rows]

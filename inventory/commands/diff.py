"""`diff`: compare two results."""

from pathlib import Path

import click

from inventory.commands import options
from inventory.results.diff import CHANGES, HomeChange, compare_results, read_totals
from inventory.results.formatting import format_size
from inventory.results.result_csv import InvalidResult
from labkit.extras import cli
from labkit.text import escaped


@click.command(
    "diff",
    epilog="""
    \b
    Examples:
      python -m inventory diff october.csv november.csv
      python -m inventory diff october.csv november.csv --json
    """,
)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@cli.json_option
def command(old: Path, new: Path, as_json: bool) -> None:
    """List users with more or fewer files in NEW than in OLD, new users, and missing users.

    If a home is incomplete in either result, its change is unknown.
    """
    try:
        before, after = (read_totals(options.read_text(path), str(path)) for path in (old, new))
    except InvalidResult as error:
        raise cli.CommandError(str(error)) from None
    found = list(compare_results(before, after))
    if as_json:
        cli.print_json([vars(difference) for difference in found])
        return
    for change in CHANGES:
        for difference in found:
            if difference.change == change:
                click.echo(_line(difference))
    if not found:
        click.echo("Nothing changed.")


def _line(difference: HomeChange) -> str:
    files = " → ".join("-" if number is None else str(number) for number in difference.files)
    sizes = " → ".join("-" if number is None else format_size(number) for number in difference.size)
    return f"{difference.change:8} {escaped(difference.user)}: {files} files, {sizes}"

"""`report`: make an HTML page from a result."""

from datetime import UTC, datetime
from pathlib import Path

import click

from inventory.commands import options
from inventory.output.file_formats import InvalidFileRows, read_rows
from inventory.results import summary
from inventory.results.report import Report
from inventory.results.result_csv import InvalidResult, read_result
from labkit.extras import cli


@click.command(
    "report",
    epilog="""
    \b
    Examples:
      python -m inventory report inventory.csv
      python -m inventory report november.csv --files files.parquet --output november.html
    """,
)
@click.argument("inventory", type=click.Path(path_type=Path))
@click.option(
    "--output", type=click.Path(path_type=Path), help="The page to write; by default the result's name with .html."
)
@click.option(
    "--files", type=click.Path(path_type=Path), help="File rows from `scan --files`; add types, ages and largest files."
)
def command(inventory: Path, output: Path | None, files: Path | None) -> None:
    """Make an HTML page from a result: totals, largest homes, failures; with --files also types, ages, largest files.

    The page needs no network and can be read on a phone and printed. Only the given files are read, not the workspace.
    """
    output = output or inventory.with_suffix(".html")
    options.check_writable(output)
    try:
        entries = read_result(options.read_text(inventory), str(inventory))
        found = summary.summarize_file_rows(read_rows(files)) if files else None
    except (InvalidResult, InvalidFileRows) as error:
        raise cli.CommandError(str(error)) from None
    except OSError as error:
        raise cli.CommandError(f"{files}: {error.strerror or error}.") from None
    made_at = datetime.fromtimestamp(inventory.stat().st_mtime, UTC)
    from inventory.output.page import write_page

    with options.write_errors(output):
        write_page(Report(inventory.name, made_at, entries, found), output)
    click.echo(f"Written to {output}.", err=True)

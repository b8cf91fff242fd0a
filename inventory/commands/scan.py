"""`scan`: count what lies in every user's home."""

import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from inventory.commands import backend as where_options
from inventory.commands import options
from inventory.commands.signals import stoppable
from inventory.output.file_formats import NotFileRows, format_of
from inventory.results.formatting import size
from inventory.results.rows import Home, table
from inventory.results.users_file import UsersFileError
from inventory.scan.checkpoint import CheckpointError
from inventory.scan.homes import NothingToScan
from inventory.scan.progress import Reporter
from inventory.scan.run import Outcome, Run, Wish, prepare
from inventory.spark import tables
from inventory.spark.driver import Manner
from inventory.spark.errors import SessionLost, SparkError
from inventory.spark.start import Where, executors
from inventory.transport.client import Client
from inventory.transport.workspace import Workspace, WorkspaceError
from inventory.tree.listing import SOURCES
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped
from labkit.workspace.access import config_file
from labkit.workspace.expected import WorkspaceExpectation

log = logging.getLogger(__name__)


@click.command(
    "scan",
    epilog="""
    \b
    Examples:
      python -m inventory scan                                  # everybody, into inventory.csv
      python -m inventory scan dana@example.org --details
      python -m inventory scan --users-file users.csv --output november.csv --files files.parquet
      python -m inventory scan --report inventory.html --top 20
      python -m inventory scan --resume                         # after an interruption, or to retry failures
      python -m inventory scan --cluster-id 1018-120000-abcd1234 --mounts
    """,
)
@options.users
@options.users_file
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("inventory.csv"),
    show_default=True,
    help="The result.",
)
@click.option("--no-parallel", is_flag=True, help="One request after another.")
@click.option(
    "--workers", type=cli.IntParamType(1, 512), default=64, show_default=True, help="For each of the two file systems."
)
@click.option(
    "--max-requests-per-second",
    "ceiling",
    type=cli.FloatParamType(0, min_open=True),
    help="For each of the two APIs; without it the rate they permit is found out.",
)
@click.option("--resume", is_flag=True, help="Go on with a scan that was stopped, and retry what failed.")
@click.option("--fresh", is_flag=True, help="Begin anew, whatever there is of an earlier scan.")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Where progress is kept; beside the result if not.")
@options.dbfs_only
@options.workspace_only
@click.option("--files", type=click.Path(path_type=Path), help="A row for every file, as .csv, .jsonl or .parquet.")
@click.option("--report", type=click.Path(path_type=Path), help="The result as a page for people, as .html.")
@click.option("--details", is_flag=True, help="Further columns: by file system, estimates, largest, newest, cost.")
@click.option("--top", type=cli.IntParamType(0), default=5, show_default=True, help="Largest homes in the summary.")
@options.all_homes
@options.shared
@click.option("--list-profiles", is_flag=True, help="Print the profiles there are, and nothing else.")
@where_options.choice
@options.access
@cli.json_option
def command(
    users: tuple[str, ...],
    users_file: Path | None,
    output: Path,
    no_parallel: bool,
    workers: int,
    ceiling: float | None,
    resume: bool,
    fresh: bool,
    checkpoint: Path | None,
    dbfs_only: bool,
    workspace_only: bool,
    files: Path | None,
    report: Path | None,
    details: bool,
    top: int,
    all_homes: bool,
    shared: bool,
    list_profiles: bool,
    where: Where,
    access: options.Access,
    as_json: bool,
) -> None:
    """Count files and bytes in every user's home, in DBFS and in the Workspace.

    Without users, everybody's. A folder that cannot be listed makes a home partial and never empty. What is done is
    kept, so that a scan that was stopped, or killed, goes on with --resume. Exit status: 0 complete; 1 finished, but
    some homes are partial or in error, or it was stopped; 2 bad input, or no access at all.
    """
    if list_profiles:
        found = options.profiles()
        for name, values in sorted(found.items()):
            click.echo(f"{escaped(name)}  {escaped(values.get('host', 'names no host'))}")
        if not found:
            click.echo(f"there are no profiles in {escaped(config_file(options.environment()))}", err=True)
        return
    if resume and fresh:
        raise cli.CommandError("--resume goes on and --fresh begins anew; give only one of them.")
    for path in (output, files, report, checkpoint):
        options.must_be_writable(path)
    _check_ending(files)
    wish = Wish(
        output=output,
        users=options.names(users, users_file),
        sources=options.sources(dbfs_only, workspace_only),
        all_homes=all_homes,
        shared=shared,
        files=files,
        report=report,
        checkpoint=checkpoint,
        details=details,
        workers=workers,
        parallel=not no_parallel,
        ceiling=ceiling,
        mounts=where.mounts,
        table=where.table,
    )
    # On Spark a token is made, and a cluster may be started.
    expected = options.expectation() if where.spark else WorkspaceExpectation()
    client = options.client(access)
    run = _prepared(client, wish, expected, resume=resume, fresh=fresh)
    with (
        options.writing(output),
        _readable(),
        stoppable() as stop,
        run,
        Reporter(run.users, terminal=sys.stderr.isatty()) as reporter,
    ):
        outcome = _on_spark(client, run, wish, where, stop, reporter) if where.spark else run.scan(stop, reporter)
    if not outcome.complete:
        again = "the same command with --resume instead of --fresh" if fresh else "the same command with --resume"
        click.echo(f"Stopped after {outcome.done} directories. To go on: {again}.", err=True)
        sys.exit(exit_status.PARTLY_FAILED)
    if as_json:
        cli.print_json(_document(outcome, wish))
    else:
        click.echo(_summary(outcome, wish, top))
    status = _status(outcome.homes)
    if outcome.failed:
        click.echo(f"{outcome.failed} directories could not be listed; --resume tries them again.", err=True)
    sys.exit(status)


@contextmanager
def _readable() -> Iterator[None]:
    """Raises CommandError for a checkpoint that turns out to be damaged."""
    try:
        yield
    except CheckpointError as error:
        raise cli.CommandError(str(error)) from None


def _check_ending(files: Path | None) -> None:
    try:
        if files:
            format_of(files)
    except NotFileRows as error:
        raise cli.CommandError(f"--files {error}") from None


def _prepared(client: Client, wish: Wish, expected: WorkspaceExpectation, *, resume: bool, fresh: bool) -> Run:
    try:
        # Asked first: with a credential that is not accepted, every home would be an error.
        identity, _ = Workspace(client).identity()
        options.refuse_another(identity, expected)
        log.info("scanning %s as %s", client.host, identity.caller)
        with options.writing(wish.checkpoint_path(client.host)):
            return prepare(client, wish, resume=resume, fresh=fresh, now=cli.now(options.environment()))
    except (CheckpointError, WorkspaceError, NothingToScan, UsersFileError) as error:
        raise cli.CommandError(str(error)) from None


def _on_spark(client: Client, run: Run, wish: Wish, where: Where, stop: threading.Event, reporter: Reporter) -> Outcome:
    manner = Manner(
        ceiling=wish.ceiling,
        with_files=bool(wish.files or wish.table),
        mounts=wish.mounts,
        workers=wish.workers,
        parallel=wish.parallel,
    )
    inside = "DATABRICKS_RUNTIME_VERSION" in options.environment()
    try:
        if wish.table:
            tables.check_name(wish.table)
        with executors(client, where, manner, stop=stop, inside=inside) as spark:
            outcome = spark.scan(run, stop, reporter)
            if wish.table and outcome.complete:
                tables.write(spark.session, wish.table, run.file_rows())
            return outcome
    except tables.NotATable as error:
        raise cli.CommandError(str(error)) from None
    except tables.NotWritten as error:
        raise click.ClickException(f"{error} The other results are written; --resume tries it again.") from None
    except (SparkError, SessionLost) as error:
        raise cli.CommandError(f"{str(error).rstrip('.')}.") from None


def _status(homes: Sequence[Home]) -> int:
    """The exit status: nobody's home could be listed, some could not, or all is well."""
    statuses = {home.status for home in homes}
    if statuses == {"error"}:
        return exit_status.BAD_INPUT
    return exit_status.PARTLY_FAILED if statuses & {"partial", "error"} else exit_status.DONE


def _summary(outcome: Outcome, wish: Wish, top: int) -> str:
    homes = outcome.homes
    counts = {
        status: sum(home.status == status for home in homes) for status in ("success", "empty", "partial", "error")
    }
    lines = [
        f"{len(homes)} homes: " + ", ".join(f"{number} {status}" for status, number in counts.items() if number),
        f"{sum(home.file_count for home in homes)} files, {size(sum(home.total_size for home in homes))}"
        f" ({sum(home.estimated for home in homes)} sizes estimated), in"
        f" {sum(home.directories for home in homes)} directories",
    ]
    largest = sorted(homes, key=lambda home: (-home.total_size, home.user))[:top]
    lines += [f"  {size(home.total_size):>10}  {escaped(home.user)}" for home in largest if home.file_count]
    lines += [f"  {home.status}: {escaped(home.user)}: {escaped(home.error)}" for home in homes if home.error]
    written = ", ".join(str(path) for path in (wish.output, wish.files, wish.report, wish.table) if path)
    asked, refused = outcome.progress.requests.total(), outcome.progress.refusals.total()
    return "\n".join([*lines, f"Written to {written}; {asked} requests, {refused} of them refused by the rate limit."])


def _document(outcome: Outcome, wish: Wish) -> dict[str, Any]:
    header, *rows = table(outcome.homes, details=wish.details, measured=wish.mounts is not None)
    users = [dict(zip(map(str, header), row, strict=True)) for row in rows]
    progress = outcome.progress
    asked = {
        source: {"requests": progress.requests[source], "refused": progress.refusals[source]} for source in SOURCES
    }
    return {"users": users, "asked": asked, "failed_directories": outcome.failed}

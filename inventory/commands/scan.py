"""`scan`: count the files in every user's home."""

import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from inventory.commands import options
from inventory.commands.backend import backend_options
from inventory.commands.signals import stop_on_signals
from inventory.output.file_formats import InvalidFileRows, format_of
from inventory.results.formatting import format_size
from inventory.results.rows import Home, result_table
from inventory.results.users_file import UsersFileError
from inventory.scan.checkpoint import CheckpointError
from inventory.scan.homes import NothingToScan
from inventory.scan.progress import ScanReporter
from inventory.scan.run import ScanRequest, ScanResult, ScanRun, prepare_scan
from inventory.spark import tables
from inventory.spark.driver import SparkOptions
from inventory.spark.errors import SessionLost, SparkError
from inventory.spark.start import Backend, open_executors
from inventory.transport.client import Client
from inventory.transport.workspace import WorkspaceApi, WorkspaceError
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
    help="The CSV file to write.",
)
@click.option("--no-parallel", is_flag=True, help="Send one request at a time.")
@click.option(
    "--workers",
    type=cli.IntParamType(1, 512),
    default=64,
    show_default=True,
    help="Maximum concurrent requests for each of the two file systems.",
)
@click.option(
    "--max-requests-per-second",
    type=cli.FloatParamType(0, min_open=True),
    help="Maximum requests per second for each of the two APIs; by default, the permitted rate is found automatically.",
)
@click.option("--resume", is_flag=True, help="Continue a stopped scan, and retry failures.")
@click.option("--fresh", is_flag=True, help="Start a new scan, and discard an unfinished one.")
@click.option(
    "--checkpoint", type=click.Path(path_type=Path), help="File that stores the progress; beside the result by default."
)
@options.dbfs_only
@options.workspace_only
@click.option(
    "--files",
    type=click.Path(path_type=Path),
    help="Also write a row for every file to this .csv, .jsonl or .parquet file.",
)
@click.option("--report", type=click.Path(path_type=Path), help="Write an HTML report to this file.")
@click.option(
    "--details", is_flag=True, help="Add columns: totals by file system, estimates, largest file, last change, cost."
)
@click.option(
    "--top", type=cli.IntParamType(0), default=5, show_default=True, help="Number of largest homes in the summary."
)
@options.all_homes
@options.shared
@click.option("--list-profiles", is_flag=True, help="List the profiles and exit.")
@backend_options
@options.access
@cli.json_option
def command(
    users: tuple[str, ...],
    users_file: Path | None,
    output: Path,
    no_parallel: bool,
    workers: int,
    max_requests_per_second: float | None,
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
    backend: Backend,
    access: options.Access,
    as_json: bool,
) -> None:
    """Count files and bytes in every user's home, in DBFS and in the Workspace.

    Without users, all users are counted. A folder that cannot be listed makes a home partial, never empty. Progress is
    stored, so that --resume continues a scan that was stopped or killed. Exit status: 0 complete; 1 finished, but some
    homes are partial or in error, or the scan was stopped; 2 bad input, or no access at all.
    """
    if list_profiles:
        found = options.profiles()
        for name, values in sorted(found.items()):
            click.echo(f"{escaped(name)}  {escaped(values.get('host', 'no host'))}")
        if not found:
            click.echo(f"there are no profiles in {escaped(config_file(options.environment()))}", err=True)
        return
    if resume and fresh:
        raise cli.CommandError("--resume and --fresh cannot be combined.")
    for path in (output, files, report, checkpoint):
        options.check_writable(path)
    _check_suffix(files)
    request = ScanRequest(
        output=output,
        users=options.selected_users(users, users_file),
        sources=options.selected_sources(dbfs_only, workspace_only),
        all_homes=all_homes,
        shared=shared,
        files=files,
        report=report,
        checkpoint=checkpoint,
        details=details,
        workers=workers,
        parallel=not no_parallel,
        max_requests_per_second=max_requests_per_second,
        mounts=backend.mounts,
        table=backend.table,
    )
    # A scan on Spark creates a token and may start a cluster.
    expected = options.expectation() if backend.uses_spark else WorkspaceExpectation()
    client = options.make_client(access)
    run = _prepare(client, request, expected, resume=resume, fresh=fresh)
    with (
        options.write_errors(output),
        _checkpoint_errors(),
        stop_on_signals() as stop,
        run,
        ScanReporter(run.user_count, terminal=sys.stderr.isatty()) as reporter,
    ):
        result = (
            _scan_on_spark(client, run, request, backend, stop, reporter)
            if backend.uses_spark
            else run.scan(stop, reporter)
        )
    if not result.complete:
        resume_command = (
            "the same command with --resume instead of --fresh" if fresh else "the same command with --resume"
        )
        click.echo(f"Stopped after {result.folders_done} directories. To continue, run {resume_command}.", err=True)
        sys.exit(exit_status.PARTLY_FAILED)
    if as_json:
        cli.print_json(_document(result, request))
    else:
        click.echo(_summary_text(result, request, top))
    status = _exit_status(result.homes)
    if result.folders_failed:
        click.echo(f"{result.folders_failed} directories could not be listed; --resume retries them.", err=True)
    sys.exit(status)


@contextmanager
def _checkpoint_errors() -> Iterator[None]:
    """Raise CommandError if the checkpoint turns out to be damaged."""
    try:
        yield
    except CheckpointError as error:
        raise cli.CommandError(str(error)) from None


def _check_suffix(files: Path | None) -> None:
    try:
        if files:
            format_of(files)
    except InvalidFileRows as error:
        raise cli.CommandError(f"--files {error}") from None


def _prepare(
    client: Client, request: ScanRequest, expected: WorkspaceExpectation, *, resume: bool, fresh: bool
) -> ScanRun:
    try:
        # Checked first: with an invalid credential, every home would be an error.
        identity, _ = WorkspaceApi(client).identity()
        options.require_expected(identity, expected)
        log.info("scanning %s as %s", client.host, identity.caller)
        with options.write_errors(request.checkpoint_path(client.host)):
            return prepare_scan(client, request, resume=resume, fresh=fresh, now=cli.now(options.environment()))
    except (CheckpointError, WorkspaceError, NothingToScan, UsersFileError) as error:
        raise cli.CommandError(str(error)) from None


def _scan_on_spark(
    client: Client, run: ScanRun, request: ScanRequest, backend: Backend, stop: threading.Event, reporter: ScanReporter
) -> ScanResult:
    spark_options = SparkOptions(
        max_requests_per_second=request.max_requests_per_second,
        with_files=bool(request.files or request.table),
        mounts=request.mounts,
        workers=request.workers,
        parallel=request.parallel,
    )
    in_databricks = "DATABRICKS_RUNTIME_VERSION" in options.environment()
    try:
        if request.table:
            tables.check_table_name(request.table)
        with open_executors(client, backend, spark_options, stop=stop, in_databricks=in_databricks) as spark:
            result = spark.scan(run, stop, reporter)
            if request.table and result.complete:
                tables.write_table(spark.session, request.table, run.file_rows())
            return result
    except tables.InvalidTableName as error:
        raise cli.CommandError(str(error)) from None
    except tables.TableWriteError as error:
        raise click.ClickException(f"{error} The other results are written; --resume retries the table.") from None
    except (SparkError, SessionLost) as error:
        raise cli.CommandError(f"{str(error).rstrip('.')}.") from None


def _exit_status(homes: Sequence[Home]) -> int:
    """Return exit status 2 if no home could be listed, 1 if some could not, and 0 otherwise."""
    statuses = {home.status for home in homes}
    if statuses == {"error"}:
        return exit_status.BAD_INPUT
    return exit_status.PARTLY_FAILED if statuses & {"partial", "error"} else exit_status.DONE


def _summary_text(result: ScanResult, request: ScanRequest, top: int) -> str:
    homes = result.homes
    counts = {
        status: sum(home.status == status for home in homes) for status in ("success", "empty", "partial", "error")
    }
    lines = [
        f"{len(homes)} homes: " + ", ".join(f"{number} {status}" for status, number in counts.items() if number),
        f"{sum(home.file_count for home in homes)} files, {format_size(sum(home.total_size for home in homes))}"
        f" ({sum(home.estimated for home in homes)} sizes estimated), in"
        f" {sum(home.directories for home in homes)} directories",
    ]
    largest = sorted(homes, key=lambda home: (-home.total_size, home.user))[:top]
    lines += [f"  {format_size(home.total_size):>10}  {escaped(home.user)}" for home in largest if home.file_count]
    lines += [f"  {home.status}: {escaped(home.user)}: {escaped(home.error)}" for home in homes if home.error]
    written = ", ".join(str(path) for path in (request.output, request.files, request.report, request.table) if path)
    sent, rate_limited = result.progress.requests.total(), result.progress.rate_limited.total()
    return "\n".join(
        [*lines, f"Written to {written}; {sent} requests, {rate_limited} of them refused by the rate limit."]
    )


def _document(result: ScanResult, request: ScanRequest) -> dict[str, Any]:
    header, *rows = result_table(result.homes, details=request.details, with_exact_size=request.mounts is not None)
    users = [dict(zip(map(str, header), row, strict=True)) for row in rows]
    progress = result.progress
    requests = {
        source: {"sent": progress.requests[source], "rate_limited": progress.rate_limited[source]} for source in SOURCES
    }
    return {"users": users, "requests": requests, "failed_directories": result.folders_failed}

"""`board`: shows the lab on one page for staff."""

import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

import click
from peewee import DatabaseError

from enforcer.board.assemble import make_board
from enforcer.board.demo import demo_facts
from enforcer.board.html import render_board
from enforcer.board.page import NoCourseError, board_page, write_page
from enforcer.commands import context
from enforcer.commands.ledger_context import no_course
from enforcer.ledger.database import open_copy
from enforcer.ledger.lock import LedgerUnavailable
from enforcer.metrics.recorded import metrics_of
from enforcer.settings import Settings
from labkit import clock, exit_status
from labkit.addresses import is_loopback
from labkit.extras import cli
from labkit.lazy_package import LazyModule
from labkit.text import escaped

server = LazyModule("enforcer.board.serve")
"""Imported late: only --serve needs the web server, whose import takes a fifth of a second."""
PORT = 8321
Content = TypeVar("Content")


@click.command(
    "board",
    epilog="""
    \b
    Examples:
      python -m enforcer board --output lab.html
      python -m enforcer board --serve              # http://127.0.0.1:8321/ on this machine only
      python -m enforcer board --demo > demo.html   # invented data, needs no settings
    """,
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="HTML file to write, which only you can read. Without this option, the page is printed.",
)
@click.option("--serve", "serves", is_flag=True, help="Serve the page to this machine only, updated at each request.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address for --serve.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port for --serve; 0: a free one."
)
@click.option(
    "--with-names", is_flag=True, help="Also show names of people: members, starters and givers of allowances."
)
@click.option("--demo", is_flag=True, help="Show an invented lab; needs no ledger and no settings.")
def command(output: Path | None, serves: bool, host: str, port: int, with_names: bool, demo: bool) -> None:
    """Show the lab on one page: what runs, what is used and left, stops, and the health of the enforcer.

    The figures come only from the ledger; if the last poll was more than half an hour ago, they are as of that poll.
    The page needs no network and no script, fits a phone and paper, and names groups but no people. Changes nothing.
    Exits 1 if the ledger has no course.
    """
    if serves and output:
        raise click.UsageError("--serve and --output cannot be combined")
    settings = None if demo else context.settings()
    if serves:
        _serve(settings, host, port, with_names=with_names)
        return
    try:
        page = _page(settings, cli.environment(), with_names=with_names)
    except _NoBoard as error:
        print(escaped(error), file=sys.stderr)
        raise SystemExit(exit_status.PARTLY_FAILED) from None
    if output is None:
        sys.stdout.write(page)
        return
    try:
        write_page(output, page)
    except OSError as error:
        cli.fail(f"{output} cannot be written: {error.strerror}.")


class _NoBoard(Exception):
    """There is no board to show; the message gives the reason."""


def _page(settings: Settings | None, environ: Mapping[str, str], *, with_names: bool) -> str:
    """Return the page of the course in the ledger or, without settings, of an invented lab. Raises _NoBoard."""
    if settings is None:
        return render_board(make_board(demo_facts(), with_names=with_names, is_demo=True))
    try:
        return _from_ledger(settings, environ, partial(board_page, with_names=with_names))
    except NoCourseError:
        raise _NoBoard(no_course(settings)) from None


def _from_ledger(settings: Settings, environ: Mapping[str, str], make: Callable[..., Content]) -> Content:
    """Return what `make` makes of a copy of the ledger. Raises _NoBoard if the ledger cannot be read."""
    try:
        now = clock.now(environ)
        with closing(open_copy(settings.ledger_location)) as ledger:
            return make(ledger, settings, now=now)
    except clock.ClockError as error:
        raise _NoBoard(str(error)) from None
    except (OSError, DatabaseError) as error:
        raise _NoBoard(LedgerUnavailable(error).message) from None


def _serve(settings: Settings | None, host: str, port: int, *, with_names: bool) -> None:
    if not is_loopback(host.strip("[]")):
        cli.fail(
            f"--host {host} is not a loopback address; the page is served on this machine only, so use 127.0.0.1 and "
            "a tunnel (ssh -L) or a proxy with a login; see docs/operations.md."
        )

    environ = cli.environment()  # not known in the server's threads

    def served(make: Callable[[], Content]) -> Callable[[], Content]:
        def render() -> Content:
            try:
                return make()
            except _NoBoard as error:
                raise server.Unavailable(str(error)) from None

        return render

    pages = {"/": server.html_page(served(partial(_page, settings, environ, with_names=with_names)))}
    if settings:
        pages["/metrics"] = server.metrics_page(served(partial(_from_ledger, settings, environ, metrics_of)))
    try:
        listener = server.bind(host, port)
    except OSError as error:
        cli.fail(f"port {port} on {host} cannot be used ({error.strerror}); choose another with --port.")
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server ends on these signals and then repeats them; the command exits with status 0.
        signal.signal(number, lambda signum, frame: None)
    print(f"http://{server.address_of(listener)}/", file=sys.stderr, flush=True)
    server.serve(listener, pages)

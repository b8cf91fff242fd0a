"""Options that several commands share, and the client that they select."""

import functools
import logging
import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from inventory.results.users_file import UsersFileError, check_username, read_users_file
from inventory.transport.client import Client
from inventory.transport.workspace import WorkspaceError, connect
from inventory.tree.listing import SOURCES, Source
from labkit.extras import cli, dotenv
from labkit.logs import log_to_stderr
from labkit.workspace.access import choose_and_apply, read_profiles
from labkit.workspace.choice import PROFILE, WorkspaceChoiceError, WorkspaceOptions
from labkit.workspace.expected import (
    WorkspaceExpectation,
    WorkspaceIdentity,
    expected_from_environment,
    expected_from_option,
    mismatch,
)

Verb = TypeVar("Verb", bound=Callable[..., Any])
CLUSTER_ID = "DATABRICKS_CLUSTER_ID"


@dataclass(frozen=True)
class Access:
    """The options that select workspace and credential."""

    profile: str | None
    workspace_url: str | None
    token_file: Path | None
    token: str | None = field(repr=False)


def access(verb: Verb) -> Verb:
    """Add the options for workspace, credential and logging; the command receives the argument `access`."""

    @functools.wraps(verb)
    def with_access(
        *args: Any,
        profile: str | None,
        workspace_url: str | None,
        token_file: Path | None,
        token: str | None,
        debug: bool,
        **rest: Any,
    ) -> Any:
        start_logging(debug=debug)
        return verb(*args, access=Access(profile, workspace_url, token_file, token), **rest)

    for option in reversed(
        (
            click.option("-p", "--profile", metavar="NAME", help="Profile in the Databricks configuration file."),
            click.option("--workspace-url", metavar="URL", help="URL of the workspace that the token belongs to."),
            click.option(
                "--token-file",
                type=click.Path(path_type=Path, allow_dash=True),
                help="File with a token; - reads the first line of standard input.",
            ),
            click.option("--token", help="The token itself, which other users can see in the process list."),
            click.option("--debug", is_flag=True, help="Log every request, without credentials."),
        )
    ):
        with_access = option(with_access)
    return cast(Verb, with_access)


cluster_id = functools.partial(click.option, "--cluster-id", metavar="[ID]", is_flag=False, flag_value="")
"""A cluster is used only with this option; `named_cluster` handles the option without a value."""


def named_cluster(given: str | None, profile: str | None) -> str | None:
    """Return the cluster id from `--cluster-id`; if it has no value, from the environment or else the profile.

    Raises CommandError if there is none.
    """
    if given != "":
        return given
    environ = environment()
    named = profile or environ.get(PROFILE) or _dotenv(environ).get(PROFILE) or "DEFAULT"
    found = "" if profile else environ.get(CLUSTER_ID, "")
    found = found or profiles().get(named, {}).get("cluster_id", "")
    if not found:
        raise cli.CommandError(
            f"--cluster-id has no value, and neither {CLUSTER_ID} nor profile {named} specifies a cluster."
        )
    return found


users = click.argument("users", nargs=-1, metavar="[USER]...")
users_file = click.option(
    "--users-file",
    type=click.Path(path_type=Path),
    help="File with one name per line, or a CSV file with a column username.",
)
all_homes = click.option("--all-homes", is_flag=True, help="Include homes of deleted users and service principals.")
shared = click.option("--shared", is_flag=True, help="Include /Shared, /Repos and the folders /lab-… of the courses.")
workspace_only = click.option("--workspace-only", is_flag=True, help="Skip DBFS files.")
dbfs_only = click.option("--dbfs-only", is_flag=True, help="Skip Workspace files.")


def start_logging(*, debug: bool) -> None:
    """Log to stderr, without the SDK's own messages."""
    log_to_stderr("inventory", logging.DEBUG if debug else logging.INFO)


def environment() -> MutableMapping[str, str]:
    """Return the environment, extended by `.env`. Raises CommandError."""
    environ = cli.environment()
    _dotenv(environ)
    return environ


def _dotenv(environ: MutableMapping[str, str]) -> dict[str, str]:
    """Return the variables in `.env` that select the workspace. Raises CommandError."""
    try:
        return dotenv.load(environ)
    except dotenv.DotenvError as error:
        raise cli.CommandError(str(error)) from None


def profiles() -> dict[str, dict[str, str]]:
    """Return the profiles by name. Raises CommandError if the file cannot be read."""
    try:
        return read_profiles(environment()).by_name
    except WorkspaceChoiceError as error:
        raise cli.CommandError(str(error)) from None


def make_client(access: Access) -> Client:
    """Return the client that the options of `access` select. Raises CommandError."""
    token = access.token
    if token is not None and access.token_file is not None:
        raise cli.CommandError("--token and --token-file cannot be combined.")
    if token is not None:
        click.echo("Others on this machine can see --token; use --token-file FILE or - instead.", err=True)
    if access.token_file is not None:
        token = _read_token(access.token_file)
    environ = environment()
    flags = WorkspaceOptions(
        access.workspace_url, token, access.profile, token_name="--token-file" if access.token_file else "--token"
    )
    try:
        return connect(choose_and_apply(environ, flags, _dotenv(environ)))
    except (WorkspaceChoiceError, WorkspaceError) as error:
        raise cli.CommandError(str(error)) from None


def expectation(into_workspace: str | None = None) -> WorkspaceExpectation:
    """Return the only workspace that may be changed, from `--into-workspace` or the environment. Raises
    CommandError."""
    try:
        if into_workspace is not None:
            return expected_from_option(into_workspace, "--into-workspace")
        return expected_from_environment(environment())
    except ValueError as error:
        raise cli.CommandError(str(error)) from None


def require_expected(identity: WorkspaceIdentity, expected: WorkspaceExpectation) -> None:
    """Raise CommandError if this is not the expected workspace."""
    if problem := mismatch(identity, expected):
        raise cli.CommandError(problem)


def _read_token(path: Path) -> str:
    """Return the token in a file or the first line of standard input; on a terminal, prompt for it without echo."""
    is_input = str(path) == "-"
    try:
        if is_input and sys.stdin.isatty():
            text = cli.prompt_for_secret("Token")
        else:
            text = sys.stdin.readline() if is_input else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise cli.CommandError(f"{path}: {_reason(error)}") from None
    lines = text.split()
    if len(lines) != 1:
        where = "the first line of standard input" if is_input else path
        raise cli.CommandError(f"{where} must contain one token and nothing else.")
    return lines[0]


def selected_users(users: tuple[str, ...], users_file: Path | None) -> tuple[str, ...]:
    """Return the users given as arguments and in the file, without duplicates. Raises CommandError."""
    try:
        for user in users:
            check_username(user, "the command line")
        from_file = read_users_file(read_bytes(users_file), str(users_file)) if users_file else []
    except UsersFileError as error:
        raise cli.CommandError(str(error)) from None
    return tuple(dict.fromkeys([*users, *from_file]))


def selected_sources(dbfs_only: bool, workspace_only: bool) -> tuple[Source, ...]:
    """Return the selected file systems. Raises CommandError."""
    if dbfs_only and workspace_only:
        raise cli.CommandError("--dbfs-only and --workspace-only cannot be combined.")
    return ("dbfs",) if dbfs_only else ("workspace",) if workspace_only else SOURCES


def read_text(path: Path) -> str:
    """Return the text of a file. Raises CommandError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise cli.CommandError(f"{path}: {_reason(error)}") from None


def read_bytes(path: Path) -> bytes:
    """Return the content of a file. Raises CommandError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise cli.CommandError(f"{path}: {_reason(error)}") from None


def check_writable(path: Path | None) -> None:
    """Raise CommandError early if a result cannot be written to this path."""
    if path is None:
        return
    if path.is_dir():
        raise cli.CommandError(f"{path} is a folder; expected a file.")
    if not path.parent.is_dir():
        raise cli.CommandError(f"{path} cannot be written: there is no folder {path.parent}.")


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not valid UTF-8."
    return f"{error.strerror}." if isinstance(error, OSError) and error.strerror else str(error)


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Raise CommandError if `path` cannot be written, for example because the disk is full."""
    try:
        yield
    except OSError as error:
        raise cli.CommandError(f"{path} could not be written: {error.strerror or error}.") from None

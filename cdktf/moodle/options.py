"""The options of a command that imports from Moodle's web service, and the token."""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from labkit.text import escaped, quoted
from moodle.client import MoodleAccess, MoodleError, shown_address, site_url
from moodle.groups import Roles

TOKEN = "MOODLE_TOKEN"
_MAX_TOKEN_BYTES = 1000

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class MoodleRequest:
    """Which course to read from which site."""

    address: str
    course: str
    grouping: str
    token_file: Path | None
    roles: Roles

    @property
    def name(self) -> str:
        """Return the course's name for messages."""
        grouping = f" grouping {escaped(self.grouping)}" if self.grouping else ""
        return f"{shown_address(self.address)} course {escaped(self.course)}{grouping}"


def moodle_options(command: Command) -> Command:
    """Add the options for Moodle's web service; the command receives the argument `moodle`, None without --moodle."""

    @functools.wraps(command)
    def with_request(
        *arguments: Any,
        moodle: str | None,
        course: str | None,
        grouping: str | None,
        token_file: Path | None,
        student_role: tuple[str, ...],
        staff_role: tuple[str, ...],
        **rest: Any,
    ) -> Any:
        if moodle is None:
            if course or grouping or token_file or student_role or staff_role or rest.get("drop_suspended"):
                raise click.UsageError(
                    "--course, --grouping, --token-file, --student-role, --staff-role and --drop-suspended need "
                    "--moodle ADDRESS"
                )
            return command(*arguments, moodle=None, **rest)
        if not course:
            raise click.UsageError("--moodle needs --course")
        roles = Roles(frozenset(student_role), frozenset(staff_role))
        return command(*arguments, moodle=MoodleRequest(moodle, course, grouping or "", token_file, roles), **rest)

    for option in reversed(
        (
            click.option("--moodle", metavar="ADDRESS", help="Import from the web service of this Moodle site."),
            click.option(
                "--course", metavar="COURSE", help="The course's id, ID number or short name in Moodle (or id=…)."
            ),
            click.option("--grouping", metavar="NAME", help="Only the groups in the grouping with this id or name."),
            click.option(
                "--token-file",
                type=click.Path(exists=True, dir_okay=False, path_type=Path),
                help=f"File with the token, readable only by you. [default: {TOKEN}]",
            ),
            click.option(
                "--student-role",
                multiple=True,
                metavar="ROLE",
                help="Short name of a role for students, besides student.",
            ),
            click.option(
                "--staff-role",
                multiple=True,
                metavar="ROLE",
                help="Short name of a role of staff, besides teacher, editingteacher, manager and coursecreator.",
            ),
            click.option(
                "--drop-suspended", is_flag=True, help="Also retire students of the roster who are suspended in Moodle."
            ),
        )
    ):
        with_request = option(with_request)
    return cast(Command, with_request)


def moodle_access(request: MoodleRequest, environ: MutableMapping[str, str]) -> MoodleAccess:
    """Return address and token, and remove the token from the environment. Raises MoodleError."""
    from_environment = environ.pop(TOKEN, "")
    url = site_url(request.address)
    if request.token_file is not None:
        return MoodleAccess(url, _checked(_read_token(request.token_file), str(request.token_file)))
    if not from_environment:
        raise MoodleError(f"there is no token for Moodle: set {TOKEN}, or use --token-file FILE.")
    return MoodleAccess(url, _checked(from_environment, TOKEN))


def _read_token(path: Path) -> str:
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise MoodleError(f"--token-file {escaped(path)} is accessible to other users: run chmod 600.")
            return file.read(_MAX_TOKEN_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise MoodleError(f"--token-file {escaped(path)} cannot be read ({error.strerror}).") from None


def _checked(text: str, source: str) -> str:
    token = text.strip()
    if not token or not token.isascii() or not token.isalnum():
        raise MoodleError(f"{quoted(source)} must contain one token, of letters and digits, and nothing else.")
    return token

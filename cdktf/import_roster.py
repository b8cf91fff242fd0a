"""Imports Moodle's or Canvas' groups into the course's normalised roster, which stores every group's number.

The groups come from an export or from Moodle's web service, for which MOODLE_TOKEN has the token.

LAB_CONFIG (default: lab.toml) is the settings file with the course's limits; `--check-accounts` and
`--from-workspace` use LAB_TARGET.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

# Run as a script: the project's root is added to sys.path so that labkit can be imported.
sys.path.append(str(Path(__file__).resolve().parent.parent))

try:
    import click
except ImportError:
    from reexec import reexec_in_venv

    reexec_in_venv(Path(__file__).resolve(), environ=os.environ)

from lab_settings import (
    MAX_PINNED_CLUSTERS,
    LabSettings,
    LabSettingsError,
    TargetSettings,
    load_settings,
    settings_path,
)
from labkit import exit_status
from labkit.addresses import is_address, normalised_address
from labkit.extras import cli, dotenv
from labkit.files import make_private, write_private
from labkit.tables import Table, TableError, decode
from labkit.text import escaped, quoted
from labkit.workspace.choice import WorkspaceChoice
from moodle.client import MoodleClient, MoodleError
from moodle.course import read_course
from moodle.groups import group_list
from moodle.options import MoodleRequest, moodle_access, moodle_options
from preflight.accounts import existing_accounts
from preflight.directory import read_directory
from preflight.identity import GuardError
from preflight.target_access import apply_target
from roster.importing import ImportRefused, ParsedExport, RosterImport, plan_import, report_json, report_lines
from roster.model import MOODLE, Roster, RosterError, format_roster, parse_roster, with_existing_accounts
from roster.validation import RosterLimits
from sources.detection import read_export
from sources.directory_groups import read_directory_groups
from workbooks.read import is_workbook, read_workbook

_COLUMNS = ("email", "group")


def parse_columns(_context: click.Context, _parameter: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    """Parse `email=Header` and `group=Header` into a mapping."""
    columns = {}
    for value in values:
        key, equals, header = value.partition("=")
        header = header.strip().strip('"“”').strip()
        if key.strip().lower() not in _COLUMNS or not equals or not header:
            raise click.BadParameter(f'must be email="HEADER" or group="HEADER", not {value!r}.')
        columns[key.strip().lower()] = header
    return columns


def parse_domain(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Return the domain in lower case, without a leading @; empty if none is specified."""
    domain = value.strip().removeprefix("@").lower()
    if value and not is_address(f"login@{domain}"):
        raise click.BadParameter(f"must be a domain such as campus.example.ac.il, not {value!r}.")
    return domain


@click.command(
    context_settings={"max_content_width": 110, "help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  python cdktf/import_roster.py Groupself-selection_94290_2026-10-18.csv --out rosters/94290-2026w.csv
  python cdktf/import_roster.py groups.csv --out rosters/94290-2026w.csv --dry-run
  python cdktf/import_roster.py old.csv --out rosters/94290-2026w.csv --encoding cp1255
  python cdktf/import_roster.py groups.csv --out rosters/94290-2026w.csv --column email="Institutional mail"
  LAB_TARGET=production python cdktf/import_roster.py groups.csv --out rosters/94290-2026w.csv --check-accounts
  MOODLE_TOKEN=… python cdktf/import_roster.py --moodle https://moodle.example.ac.il --course 94290 --out r.csv
  python cdktf/import_roster.py --moodle https://moodle.example.ac.il --course 94290 --grouping Teams
    --token-file moodle.token --out rosters/94290-2026w.csv
  LAB_TARGET=production python cdktf/import_roster.py --from-workspace 'DE-2026-*' --out rosters/94290-2026w.csv

Exit status: 0 done, 2 refused (nothing written). docs/roster.md explains each error message.""",
)
@click.argument("export", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@moodle_options
@click.option(
    "--from-workspace",
    metavar="PATTERN",
    help="Read the directory's groups with these names from the target's workspace, for example 'DE-2026-*'. The lab "
    "uses the groups and their accounts, but never changes them.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The normalised roster. Groups from earlier imports are read from it before it is overwritten.",
)
@click.option("--encoding", metavar="NAME", help="Encoding of EXPORT, if it is neither UTF-8 nor UTF-16 with a BOM.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar='email="HEADER"',
    callback=parse_columns,
    help='Column with the addresses (or, with group="HEADER", the groups), if it is not recognised.',
)
@click.option(
    "--max-drop-percent",
    type=cli.FloatParamType(0, 100),
    default=20,
    show_default=True,
    help="Refuse an export that lacks a larger share of the roster's students.",
)
@click.option(
    "--allow-drops", is_flag=True, help="Warn instead of stopping if more students than --max-drop-percent are missing."
)
@click.option(
    "--max-move-percent",
    type=cli.FloatParamType(0, 100),
    default=20,
    show_default=True,
    help="Refuse an export that moves a larger share of the roster's students to a different group.",
)
@click.option("--allow-moves", is_flag=True, help="Warn instead of stopping if more than --max-move-percent move.")
@click.option(
    "--check-accounts",
    is_flag=True,
    help="Look up which new addresses have an account in the target's workspace; the lab never manages those accounts.",
)
@click.option(
    "--no-group",
    multiple=True,
    metavar="LABEL",
    help="This Moodle site's label for “in no group”, if it is not recognised.",
)
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="NAME",
    help="Name of a single group that looks like several groups (because of commas) or like “in no group”.",
)
@click.option(
    "--staff",
    multiple=True,
    metavar="ADDRESS",
    help="Address of a staff member, in addition to those under [staff] in lab.toml.",
)
@click.option(
    "--login-domain",
    metavar="DOMAIN",
    default="",
    callback=parse_domain,
    help="Canvas: this domain completes logins that have none, to login@DOMAIN.",
)
@cli.dry_run_option
@cli.json_option
@cli.version_option
def main(
    export: Path | None,
    moodle: MoodleRequest | None,
    from_workspace: str | None,
    out: Path,
    encoding: str | None,
    columns: Mapping[str, str],
    max_drop_percent: float,
    allow_drops: bool,
    max_move_percent: float,
    allow_moves: bool,
    check_accounts: bool,
    no_group: Sequence[str],
    groups: Sequence[str],
    staff: Sequence[str],
    login_domain: str,
    drop_suspended: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import EXPORT, a groups file from Moodle or Canvas, or with --moodle a course from Moodle's web service, or with
    --from-workspace a directory's groups, into the course's roster.

    The format is detected: Group self-selection CSV, Groups overview CSV, Participants CSV, Group choice TXT, Canvas'
    group set, the older users.csv, a normalised roster, and any of these after a spreadsheet program saved it, also as
    an XLSX or ODS workbook.
    """
    if sum(source is not None for source in (export, moodle, from_workspace)) != 1:
        raise click.UsageError("give one of these: EXPORT, --moodle with --course, --from-workspace")
    if export is None and (encoding or columns or no_group or groups or login_domain):
        raise click.UsageError("--encoding, --column, --no-group, --group and --login-domain need a file")
    try:
        dotenv_variables = load_dotenv(os.environ)
        lab = load_course_settings(os.environ)
        limits = replace(
            roster_limits(lab, staff),
            max_drop_percent=max_drop_percent,
            allow_drops=allow_drops,
            max_move_percent=max_move_percent,
            allow_moves=allow_moves,
        )
        if export is not None:
            name, address = export.name, str(export)
            content, encoding_name = read_export_content(export, encoding)
            stored = read_stored_roster(out)
            known_groups = {group.moodle_name for group in stored.active_groups}
            listed = read_export(
                content,
                columns=columns,
                no_group=no_group,
                groups=groups,
                known_groups=known_groups,
                staff=limits.staff,
                login_domain=login_domain,
            )
            source = ParsedExport(listed, encoding_name)
        elif moodle is not None:
            name, address = moodle.name, moodle.address
            stored = read_stored_roster(out)
            source = read_moodle(moodle, stored, limits, os.environ)
        else:
            name = address = from_workspace or ""
            stored = read_stored_roster(out)
            source = read_workspace_groups(name, lab, limits, os.environ, dotenv_variables)
        result = plan_import(name, source, stored, limits, drop_suspended=drop_suspended)
        if check_accounts:
            result = mark_existing_accounts(result, lab, os.environ, dotenv_variables)
        written = False if dry_run else write_roster(out, result.roster)
    except ImportRefused as refusal:
        for problem in refusal.problems:
            click.echo(escaped(problem), err=True)
        click.echo("Nothing was written.", err=True)
        if as_json:
            cli.print_json({"written": False, "problems": refusal.problems})
        sys.exit(exit_status.BAD_INPUT)
    for warning in result.warnings:
        click.echo(escaped(f"Warning: {warning}"), err=True)
    if as_json:
        cli.print_json(report_json(result, export=address, out=str(out), written=written))
        return
    for line in report_lines(result, export=name, out=str(out), written=written, dry_run=dry_run):
        click.echo(escaped(line))


def load_dotenv(environ: MutableMapping[str, str]) -> dict[str, str]:
    """Load `.env` into the environment; return its workspace variables, which are not loaded."""
    try:
        return dotenv.load(environ)
    except dotenv.DotenvError as error:
        raise ImportRefused([str(error)]) from error


def load_course_settings(environ: Mapping[str, str]) -> LabSettings | None:
    """Return the course's settings; None if there is no lab.toml and LAB_CONFIG is not set."""
    named = environ.get("LAB_CONFIG")
    path = settings_path(environ)
    if not named and not path.exists():
        return None
    try:
        return load_settings(path)
    except LabSettingsError as error:
        raise ImportRefused(error.problems) from error


def roster_limits(lab: LabSettings | None, staff: Sequence[str]) -> RosterLimits:
    """Return the limits set in lab.toml; `staff` are additional addresses. Raise ImportRefused if one is invalid."""
    additional = [normalised_address(address) for address in staff]
    if invalid := [quoted(address) for address in additional if not is_address(address)]:
        raise ImportRefused([f"--staff must be an e-mail address, not {' or '.join(invalid)}."])
    if lab is None:
        return RosterLimits(staff=frozenset(additional))
    return RosterLimits(
        email_domains=tuple(lab.course.email_domains),
        strict_domains=lab.course.strict_domains,
        max_group_size=lab.course.max_group_size,
        max_pinned=MAX_PINNED_CLUSTERS if lab.cluster.pin else None,
        staff=frozenset([*additional, *map(normalised_address, lab.staff.addresses)]),
    )


def read_export_content(export: Path, encoding: str | None) -> tuple[str | Table, str]:
    """Return the export's text and the name of its encoding, or the table of a workbook and the workbook's format."""
    try:
        data = export.read_bytes()
        return read_workbook(data) if is_workbook(data) else decode(data, encoding, origin=MOODLE)
    except TableError as error:
        raise ImportRefused([f"{export.name} line {error.line}: {error.sentence}"]) from error
    except OSError as error:
        raise ImportRefused([f"{export} cannot be read ({error.strerror})."]) from error


def read_moodle(
    request: MoodleRequest, stored: Roster, limits: RosterLimits, environ: MutableMapping[str, str]
) -> ParsedExport:
    """Return the groups of a course in Moodle, read from its web service, and Moodle's release."""
    try:
        client = MoodleClient(moodle_access(request, environ))
        content = read_course(client, course=request.course, grouping=request.grouping)
    except MoodleError as error:
        raise ImportRefused([f"{request.name}: {error}"]) from error
    names = {group.moodle_id: group.moodle_name for group in stored.groups if group.moodle_id}
    listed = group_list(content, roles=request.roles, staff=limits.staff, stored_names=names)
    return ParsedExport(listed, content.release or "unknown release")


def read_workspace_groups(
    pattern: str,
    lab: LabSettings | None,
    limits: RosterLimits,
    environ: MutableMapping[str, str],
    dotenv_variables: Mapping[str, str],
) -> ParsedExport:
    """Return the directory's groups that match a pattern, read from the target's workspace, and the workspace's URL."""
    target = choose_target(lab, "--from-workspace", environ, dotenv_variables)
    try:
        listing, host = read_directory(pattern, target_name=target.name, target=target.settings, choice=target.choice)
    except GuardError as error:
        raise ImportRefused([str(error)]) from error
    return ParsedExport(read_directory_groups(listing, target=target.name, staff=limits.staff), host)


def read_stored_roster(out: Path) -> Roster:
    """Return the roster from the last import; an empty roster before the first import."""
    try:
        text, _ = decode(out.read_bytes(), origin=MOODLE)
        return parse_roster(text, str(out))
    except FileNotFoundError:
        return Roster()
    except TableError as error:
        problems = [f"{out} line {error.line}: {error.sentence}"]
    except RosterError as error:
        problems = list(error.problems)
    except OSError as error:
        raise ImportRefused([f"{out} cannot be read ({error.strerror})."]) from error
    advice = "correct it or restore a copy; only if no group is deployed yet, delete it to number all groups again"
    raise ImportRefused([*problems, f"{out} stores the numbers of the groups: {advice}."])


@dataclass(frozen=True)
class ChosenTarget:
    """A target in lab.toml, and the choice of its workspace."""

    name: str
    settings: TargetSettings
    choice: WorkspaceChoice


def choose_target(
    lab: LabSettings | None, option: str, environ: MutableMapping[str, str], dotenv_variables: Mapping[str, str]
) -> ChosenTarget:
    """Return the target in LAB_TARGET and apply its choice of a workspace to the environment. `option` needs it."""
    if lab is None:
        raise ImportRefused(
            [f"{option} needs lab.toml, which defines the target; LAB_CONFIG can specify a different file."]
        )
    try:
        name, settings = lab.target(environ.get("LAB_TARGET"))
        return ChosenTarget(name, settings, apply_target(name, settings, environ, dotenv_variables))
    except LabSettingsError as error:
        raise ImportRefused(error.problems) from error
    except GuardError as error:
        raise ImportRefused([str(error)]) from error


def mark_existing_accounts(
    result: RosterImport,
    lab: LabSettings | None,
    environ: MutableMapping[str, str],
    dotenv_variables: Mapping[str, str],
) -> RosterImport:
    """Return the import with new addresses marked as existing if they already have an account in the target's
    workspace.

    Only addresses that are in no roster yet are looked up: a deployment may have created the other accounts.
    `dotenv_variables` are the workspace variables from `.env`.
    """
    target = choose_target(lab, "--check-accounts", environ, dotenv_variables)
    new = result.new_addresses
    if not new:
        return replace(result, existing_account_count=0)
    name = target.name
    try:
        existing = existing_accounts(new, target_name=name, target=target.settings, choice=target.choice)
    except GuardError as error:
        raise ImportRefused([str(error)]) from error
    return replace(
        result, roster=with_existing_accounts(result.roster, existing, name), existing_account_count=len(existing)
    )


def write_roster(out: Path, roster: Roster) -> bool:
    """Write the roster file; return whether its content changed."""
    text = format_roster(roster)
    try:
        if out.exists() and out.read_bytes() == text.encode():
            make_private(out)
            return False
        write_private(out, text)
    except OSError as error:
        raise ImportRefused([f"{out} cannot be written ({error.strerror}); choose a different --out."]) from error
    return True


if __name__ == "__main__":
    main()

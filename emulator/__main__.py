"""`python -m emulator`: the command line."""

import json
import logging
import socket
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import click

from emulator.faults.profiles import PROFILES
from emulator.generated_files.homes import generated_tree
from emulator.generated_files.layout import write_layout
from emulator.generated_files.shapes import SHAPES_HELP, parse_shape
from emulator.mail.certificate import server_context
from emulator.server.app import Application
from emulator.server.http_server import Server, listen
from emulator.server.services import open_workspace, routes
from emulator.server.state_check import find_damage
from emulator.state.options import Options
from emulator.state.state_file import StateFile, StateFileError
from emulator.unity_catalog.seed import adopt
from labkit.extras.cli import CommandError, FloatParamType, IntParamType, json_option, print_json, version_option
from labkit.text import quoted

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@click.group(
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
    epilog="""
    \b
    Examples:
      python -m emulator                              # http://127.0.0.1:8765, ids are random
      python -m emulator --port 0 --seed 1            # any free port, the same ids every time
      python -m emulator --state lab.json --speed 60  # resumes its workspace; a minute passes in a second
      python -m emulator --files heavy                # homes with 260,000 files
      python -m emulator layout --files heavy DIR     # the same files on disk
    """,
)
@version_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8765,
    show_default=True,
    type=IntParamType(0, 65535),
    help="Port to listen on; 0 means any free port.",
)
@click.option("--seed", help="Derive all ids, including the workspace id, from this string. Tokens are always random.")
@click.option(
    "--speed",
    default=1.0,
    show_default=True,
    type=FloatParamType(0),
    help="Seconds on the emulator's clock per real second.",
)
@click.option("--start", metavar="ISO", help="Initial time of the emulator's clock.  [default: the machine's time]")
@click.option(
    "--state", "state_file", type=click.Path(dir_okay=False, path_type=Path), help="Keep the state in this file."
)
@click.option(
    "--faults",
    "profile",
    type=click.Choice(list(PROFILES)),
    metavar="PROFILE",
    help=f"Fault profile at startup: {'; '.join(f'{name}: {each.description}' for name, each in PROFILES.items())}.",
)
@click.option(
    "--transition-seconds",
    default=2.0,
    show_default=True,
    type=FloatParamType(0),
    help="Duration of each cluster transition, in seconds on the emulator's clock.",
)
@click.option(
    "--no-dbfs",
    is_flag=True,
    help="Emulate a new account without DBFS or legacy features. Unlike the fault profile, this is permanent.",
)
@click.option(
    "--mail-port",
    default=0,
    show_default=True,
    type=IntParamType(0, 65535),
    help="Port for the mail service; 0 means any free port.",
)
@click.option(
    "--mail-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write every accepted email to this folder, as .eml.",
)
@click.option(
    "--files",
    metavar="SHAPE",
    help=f"Users' files at startup: {SHAPES_HELP}.  [default: none, or as in the state file]",
)
@click.option(
    "--unity-catalog",
    type=click.Choice(["auto", "none"]),
    help="Unity Catalog in a new workspace: auto for a metastore and a catalog, as in new workspaces of the platform; "
    "none for no metastore; then volumes are open to all users.  [default: as in the state file, or none]",
)
@click.option("--keep-user-ids", is_flag=True, help="Keep the id of a user who is deleted and created again.")
@click.pass_context
def main(
    context: click.Context,
    host: str,
    port: int,
    seed: str | None,
    speed: float,
    start: str | None,
    state_file: Path | None,
    profile: str | None,
    transition_seconds: float,
    no_dbfs: bool,
    mail_port: int,
    mail_dir: Path | None,
    files: str | None,
    unity_catalog: str | None,
    keep_user_ids: bool,
) -> None:
    """Run an emulated Databricks workspace.

    When ready, the emulator prints one line of JSON: its URL, an administrator's token, the workspace id, and the
    endpoint, access key and certificate authority of its mail service. Logs go to stderr. SIGTERM stops it at once.
    """
    if context.invoked_subcommand:
        return
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if host not in LOOPBACK:
        logging.getLogger("emulator").warning(
            "listening on %s: anyone who can reach this address can use the workspace", host
        )
    listener, mail_listener = _listen(host, port, "--port"), _listen(host, mail_port, "--mail-port")
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{listener.getsockname()[1]}"
    options = Options(
        seed=seed,
        start=_instant(start) if start else None,
        speed=speed,
        transition_seconds=transition_seconds,
        dbfs=not no_dbfs,
        keep_user_ids=keep_user_ids,
        files=_shape(files) if files else "none",
        unity_catalog=unity_catalog or "none",
        url=url,
        mail_dir=mail_dir,
    )
    file = StateFile(state_file) if state_file else None
    try:
        state = file.read() if file else None
        workspace = open_workspace(options, state)
        if file and state and (problem := find_damage(workspace)):
            raise file.damaged_error(problem)
        adopt(workspace)
    except StateFileError as error:
        raise CommandError(str(error)) from None
    if files and files != workspace.generated_tree.shape.name:
        held = workspace.generated_tree.shape.name
        raise CommandError(
            f"{state_file} has a workspace with --files {held}; omit --files, or choose a different file"
        )
    if unity_catalog and unity_catalog != workspace.options.unity_catalog:
        held = workspace.options.unity_catalog
        raise CommandError(
            f"{state_file} has a workspace with --unity-catalog {held}; omit --unity-catalog, or choose a "
            "different file"
        )
    with tempfile.TemporaryDirectory(prefix="emulator-mail-") as folder:
        authority = Path(folder) / "ca.pem"
        ready = {
            "url": url,
            "admin_token": workspace.issue_startup_token(),
            "workspace_id": workspace.state.workspace_id,
            "mail_endpoint": f"https://{shown}:{mail_listener.getsockname()[1]}",
            "mail_key": options.mail_key,
            "mail_ca": str(authority),
        }
        try:
            Server(Application(workspace, profile), ready, file).run(
                listener, mail_listener, server_context(host, authority)
            )
        except StateFileError as error:
            raise click.ClickException(str(error)) from None


@main.command("layout", short_help="Write generated files to disk.")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--files", "shape", required=True, metavar="SHAPE", help=f"Shape of the files: {SHAPES_HELP}.")
@click.option("--seed", default="0", show_default=True, help="Seed, as for the emulator.")
def layout(folder: Path, shape: str, seed: str) -> None:
    """Write the files that an emulator generates for --files and --seed to DIR, as they appear in a cluster's mounts.

    DIR/Workspace/Users and DIR/dbfs/Users must not have these homes yet. Files are sparse: they have their size, but
    take no space if the file system supports it. Notebooks have only their first line. The counts are printed as JSON.

    \b
    Example:
      python -m emulator layout --files term --seed 1 /tmp/mounts
    """
    tree = generated_tree(_shape(shape), seed)
    try:
        written = write_layout(tree, folder, [Options.admin])
    except OSError as error:
        raise CommandError(
            f"{error.filename or folder}: {error.strerror}; choose an empty folder with enough space"
        ) from None
    click.echo(json.dumps({"files": written, "users": len(tree.users), "shape": shape, "seed": seed}))


@main.command("routes", short_help="List the routes of the API.")
@json_option
def list_routes(as_json: bool) -> None:
    """List every method and path that the emulated workspace supports. Any other path returns 501.

    `{name}` matches one segment of a path, `{name:path}` the entire rest.

    \b
    Example:
      python -m emulator routes | grep clusters
    """
    found = sorted((route.pattern, route.method) for route in routes())
    if as_json:
        print_json([{"method": method, "path": path} for path, method in found])
    else:
        click.echo("\n".join(f"{method:6} {path}" for path, method in found))


def _shape(text: str) -> str:
    try:
        return parse_shape(text).name
    except ValueError as error:
        raise CommandError(f"--files: {error}") from None


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--start: {quoted(text)} is not a time; use 2026-10-18T07:00:00Z") from None
    if instant.tzinfo is None:
        raise CommandError(f"--start: {quoted(text)} has no time zone; use 2026-10-18T07:00:00Z")
    return instant


def _listen(host: str, port: int, option: str) -> socket.socket:
    try:
        return listen(host, port)
    except OSError as error:
        reason = error.strerror or error
        raise CommandError(
            f"cannot listen on {host} port {port} ({reason}); choose a different --host or {option}"
        ) from None


if __name__ == "__main__":
    main()

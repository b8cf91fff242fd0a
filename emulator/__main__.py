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
from emulator.server.services import open_workspace
from emulator.server.state_check import find_damage
from emulator.state.options import Options
from emulator.state.state_file import StateFile, StateFileError
from labkit.extras.cli import CommandError, FloatParamType, IntParamType, version_option
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
      python -m emulator --state lab.json --speed 60  # goes on where it was; a minute passes in a second
      python -m emulator --files heavy                # homes with a quarter of a million files in them
      python -m emulator layout --files heavy DIR     # the same files on disk
    """,
)
@version_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8765, show_default=True, type=IntParamType(0, 65535), help="0: any free port.")
@click.option("--seed", help="Make ids and the workspace id follow from this text. Tokens are random all the same.")
@click.option("--speed", default=1.0, show_default=True, type=FloatParamType(0), help="Clock seconds a second.")
@click.option("--start", metavar="ISO", help="What the clock shows at first.  [default: the machine's time]")
@click.option("--state", "state_file", type=click.Path(dir_okay=False, path_type=Path), help="Keep the state here.")
@click.option(
    "--faults",
    "profile",
    type=click.Choice(list(PROFILES)),
    metavar="PROFILE",
    help=f"Fault profile at the start: {'; '.join(f'{name}: {each.description}' for name, each in PROFILES.items())}.",
)
@click.option(
    "--transition-seconds",
    default=2.0,
    show_default=True,
    type=FloatParamType(0),
    help="Clock seconds that a cluster takes from one state to the next.",
)
@click.option(
    "--no-dbfs", is_flag=True, help="A new account: no DBFS, no legacy features; as the profile, and to stay."
)
@click.option("--mail-port", default=0, show_default=True, type=IntParamType(0, 65535), help="0: any free port.")
@click.option(
    "--mail-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write every letter that is accepted into this folder, as .eml.",
)
@click.option(
    "--files",
    metavar="SHAPE",
    help=f"The users' files that are there from the start: {SHAPES_HELP}.  [default: none, or what the state file has]",
)
@click.option("--keep-user-ids", is_flag=True, help="A user who is deleted and made again has the same id again.")
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
    keep_user_ids: bool,
) -> None:
    """Run an emulated Databricks workspace.

    When it is ready it prints one JSON line with its url, an administrator's token, the workspace id, and the endpoint,
    access key and certificate authority of its mail service.
    Logs go to stderr. SIGTERM ends it at once.
    """
    if context.invoked_subcommand:
        return
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if host not in LOOPBACK:
        logging.getLogger("emulator").warning("listening on %s: everybody who reaches it can use this workspace", host)
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
        url=url,
        mail_dir=mail_dir,
    )
    file = StateFile(state_file) if state_file else None
    try:
        state = file.read() if file else None
        workspace = open_workspace(options, state)
        if file and state and (problem := find_damage(workspace)):
            raise file.damaged_error(problem)
    except StateFileError as error:
        raise CommandError(str(error)) from None
    if files and files != workspace.generated_tree.shape.name:
        held = workspace.generated_tree.shape.name
        raise CommandError(
            f"{state_file} holds a workspace with --files {held}; leave --files away, or choose another file"
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


@main.command("layout", short_help="Write the files of a shape to disk.")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--files", "shape", required=True, metavar="SHAPE", help=f"{SHAPES_HELP}.")
@click.option("--seed", default="0", show_default=True, help="As the emulator's.")
def layout(folder: Path, shape: str, seed: str) -> None:
    """Write the files that an emulator with this shape and seed has into DIR, as a cluster's mounts show them.

    DIR/Workspace/Users and DIR/dbfs/Users must not hold these homes yet. Every file has its size and takes no space, as
    far as the file system can do that; notebooks begin with their first line. Prints what was written, as JSON.

    \b
    Example:
      python -m emulator layout --files term --seed 1 /tmp/mounts
    """
    tree = generated_tree(_shape(shape), seed)
    try:
        written = write_layout(tree, folder, [Options.admin])
    except OSError as error:
        raise CommandError(f"{error.filename or folder}: {error.strerror}; choose an empty folder with room") from None
    click.echo(json.dumps({"files": written, "users": len(tree.users), "shape": shape, "seed": seed}))


def _shape(text: str) -> str:
    try:
        return parse_shape(text).name
    except ValueError as error:
        raise CommandError(f"--files: {error}") from None


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--start: {quoted(text)} is no time; write it as 2026-10-18T07:00:00Z") from None
    if instant.tzinfo is None:
        raise CommandError(f"--start: {quoted(text)} has no zone; write it as 2026-10-18T07:00:00Z")
    return instant


def _listen(host: str, port: int, option: str) -> socket.socket:
    try:
        return listen(host, port)
    except OSError as error:
        reason = error.strerror or error
        raise CommandError(
            f"cannot listen on {host} port {port} ({reason}); choose another --host or {option}"
        ) from None


if __name__ == "__main__":
    main()

"""`python -m emulator`: the command line."""

import logging
import sys
from pathlib import Path

import click
from pydantic import ValidationError

from emulator.app import Application
from emulator.faults import Faults
from emulator.journal import Journal
from emulator.options import Options
from emulator.server import Server, listen
from emulator.state import State, load_json
from emulator.workspace import Workspace

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@click.command(
    epilog="""
    \b
    Examples:
      python -m emulator                              # http://127.0.0.1:8765, ids are random
      python -m emulator --port 0 --seed 1            # any free port, the same ids every time
      python -m emulator --state lab.json --speed 60  # goes on where it was; a minute passes in a second
    """
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="0: any free port.")
@click.option("--seed", help="Make ids and the workspace id follow from this text. Tokens are random all the same.")
@click.option("--speed", default=1.0, show_default=True, type=click.FloatRange(0), help="Clock seconds a second.")
@click.option("--state", "state_file", type=click.Path(dir_okay=False, path_type=Path), help="Keep the state here.")
@click.option("--faults", "profile", help="Start with this profile of faults, such as `azure`.")
@click.option(
    "--transition-seconds",
    default=2.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Clock seconds that a cluster takes from one state to the next.",
)
def main(
    host: str,
    port: int,
    seed: str | None,
    speed: float,
    state_file: Path | None,
    profile: str | None,
    transition_seconds: float,
) -> None:
    """Run an emulated Databricks workspace.

    When it is ready it prints one JSON line with its url, an administrator's token and the workspace id.
    Logs go to stderr. SIGTERM ends it at once.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if host not in LOOPBACK:
        logging.getLogger("emulator").warning("listening on %s: everybody who reaches it can use this workspace", host)
    try:
        listener = listen(host, port)
    except OSError as error:
        raise click.UsageError(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from None
    port = listener.getsockname()[1]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    options = Options(seed=seed, speed=speed, transition_seconds=transition_seconds, url=url)
    workspace = Workspace(options, _read_state(state_file))
    token, _ = workspace.state.tokens.issue(workspace.administrator.id, workspace.clock.now(), "emulator")
    application = Application(workspace, Faults(seed), Journal())
    application.changed = True
    ready = {"url": url, "admin_token": token, "workspace_id": workspace.state.workspace_id}
    Server(application, ready, state_file).run(sockets=[listener])


def _read_state(file: Path | None) -> State | None:
    if file is None or not file.exists():
        return None
    try:
        return load_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise click.UsageError(
            f"{file} is no state of this emulator ({place}: {first['msg']}); move it away to start anew"
        ) from None


if __name__ == "__main__":
    main()

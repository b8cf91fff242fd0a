"""Stops a cluster that the deployment has just created, once its libraries are installed: new clusters always run.

Terraform starts this program once for each new cluster. Thirty processes would import the SDK thirty times, at a third
of a second of CPU time each, so each process queues its cluster and the first one serves all requests. Every failure is
a warning with the cluster's name: a deployment does not fail because a cluster still runs.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from types import FrameType

# Run as a script: the project's root is added to sys.path so that labkit can be imported.
sys.path.append(str(Path(__file__).resolve().parent.parent))

from labkit import __version__
from labkit.text import escaped
from stopping.request_queue import RequestQueue

_TIMEOUT_SECONDS = 240
_POLL_SECONDS = 0.1


class StopTimeout(Exception):
    """The workspace did not respond in time."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("--name", required=True, help="cluster name, for messages")
    parser.add_argument(
        "--spool", required=True, type=Path, help="folder of the request queue that all processes in a deployment share"
    )
    parser.add_argument("--cluster-id", required=True)
    options = parser.parse_args(arguments)
    try:
        warning = request_stop(options.cluster_id, RequestQueue(options.spool), os.environ)
    except (StopTimeout, OSError) as error:
        warning = str(error) or type(error).__name__
    if warning:
        print(escaped(f"Warning: {options.name} ({options.cluster_id}) was not stopped: {warning}"), flush=True)
    return 0


def request_stop(cluster_id: str, queue: RequestQueue, environ: MutableMapping[str, str]) -> str:
    """Have this or a different process stop the cluster; return why it was not stopped, or an empty string.

    Raise OSError if the queue's folder cannot be used.
    """
    queue.put(cluster_id)
    while not queue.is_answered(cluster_id):
        with queue.server_lock() as is_ours:
            # A different process may have answered between the check and the lock.
            if is_ours and not queue.is_answered(cluster_id):
                # The SDK is slow to import, so only the process that serves the requests imports it.
                from stopping.new_clusters import serve_requests

                serve_requests(queue, environ)
        if not is_ours:
            time.sleep(_POLL_SECONDS)
    return queue.pop_answer(cluster_id)


def raise_timeout(signum: int, frame: FrameType | None) -> None:
    raise StopTimeout(
        f"the workspace did not respond within {_TIMEOUT_SECONDS} seconds; the cluster stops by itself when idle."
    )


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, raise_timeout)
    signal.alarm(_TIMEOUT_SECONDS)
    sys.exit(main(sys.argv[1:]))

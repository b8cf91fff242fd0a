"""Runs `python -m enforcer …` many times: imports all slow packages once and forks for each run.

For each run, it reads one JSON line from stdin, `{"arguments": ["poll"], "kill_after": 0.3}`, and writes one to stdout,
`{"signal": 9, "status": null, "seconds": 0.3}`. Each run is a separate process, which is killed with SIGKILL.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from typing import Any


def main() -> None:
    # Everything that a run would import later, so that a kill hits the run's work and not its imports.
    import azure.communication.email  # noqa: F401
    import databricks.sdk  # noqa: F401

    import enforcer.commands.poll  # noqa: F401
    import enforcer.mail.azure  # noqa: F401
    import enforcer.tick.run  # noqa: F401

    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


def run(request: dict[str, Any]) -> dict[str, Any]:
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        run_enforcer(request["arguments"])
    patience = request.get("kill_after")
    handle = os.pidfd_open(child)
    try:
        if not select.select([handle], [], [], patience)[0]:
            os.kill(child, signal.SIGKILL)
    finally:
        os.close(handle)
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status)
    return {
        "signal": os.WTERMSIG(status) if killed else None,
        "status": None if killed else os.WEXITSTATUS(status),
        "seconds": time.monotonic() - began,
    }


def run_enforcer(arguments: list[str]) -> None:
    from enforcer.__main__ import main

    status = 70
    try:
        main(arguments, prog_name="enforcer", obj=os.environ)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 0
    finally:
        sys.stdout.flush()
        os._exit(status)


if __name__ == "__main__":
    main()

"""Tells systemd that the service is ready and alive, where it asks for that (`Type=notify`, `WatchdogSec`)."""

import logging
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)

READY, ALIVE, STOPPING = "READY=1", "WATCHDOG=1", "STOPPING=1"


def notify(environ: Mapping[str, str], state: str) -> None:
    """`state` is one of READY, ALIVE and STOPPING. Without systemd nothing happens, and a failure is logged."""
    place = environ.get("NOTIFY_SOCKET", "")
    if not place or place[0] not in "/@":
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.sendto(state.encode(), f"\0{place[1:]}" if place[0] == "@" else place)
    except OSError as error:
        log.debug("systemd does not listen: %s", error)

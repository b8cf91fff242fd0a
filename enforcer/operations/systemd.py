"""Notifies systemd that the service is ready and alive, if the unit requires it (`Type=notify`, `WatchdogSec`)."""

import logging
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)

READY, ALIVE, STOPPING = "READY=1", "WATCHDOG=1", "STOPPING=1"


def notify(environ: Mapping[str, str], state: str) -> None:
    """Send READY, ALIVE or STOPPING. Does nothing without systemd; a failure is logged."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address or address[0] not in "/@":
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.sendto(state.encode(), f"\0{address[1:]}" if address[0] == "@" else address)
    except OSError as error:
        log.debug("systemd cannot be notified: %s", error)

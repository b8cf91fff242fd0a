"""Whether a cluster that was just made may be stopped. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STARTS = ("CREATING", "STARTING", "RESTARTING")
_RUNS = ("RUNNING", "RESIZING")
_GOES = ("TERMINATING", "TERMINATED")

# The platform notes an activity of its own while a cluster comes up.
_SETTLING_MS = 10_000


@dataclass(frozen=True)
class Stop:
    """The cluster idles because the deploy made it."""


@dataclass(frozen=True)
class Leave:
    """The cluster is to be left alone. `because` is empty where there is nothing to say about it."""

    because: str = ""


Decision = Stop | Leave


def decide(cluster: Mapping[str, Any], events: Sequence[Mapping[str, Any]], *, me: str) -> Decision:
    """What to do with a live cluster, given its events (newest first) and the name of who deploys.

    It is stopped only if its present session was started by the deploy itself and nothing shows that it is in use.
    """
    state = str(cluster.get("state"))
    if state in _GOES:
        return Leave()
    starts = [event for event in events if event.get("type") in STARTS]
    if not starts:
        return Leave("it is not known who started it")
    starter = str((starts[0].get("details") or {}).get("user") or "")
    if starter.lower() != me.lower():
        return Leave(f"{starter or 'somebody'} has started it since")
    if state not in _RUNS:
        return Leave(f"its state is {state}")
    ready = [int(event["timestamp"]) for event in events if event.get("type") == "RUNNING"]
    if ready and int(cluster.get("last_activity_time") or 0) > ready[0] + _SETTLING_MS:
        return Leave("it is in use")
    return Stop()

"""HTTP of `/_emulator/`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from emulator import state
from emulator.clock import from_iso, to_iso
from emulator.errors import invalid
from emulator.routing import Call, Reply, Route, Router

if TYPE_CHECKING:
    from emulator.app import Application


def router(application: "Application") -> Router:
    """The control endpoints of this application."""

    def journal(call: Call) -> Reply:
        text = "".join(f"{line}\n" for line in application.journal.lines())
        return Reply(200, text.encode(), {"Content-Type": "application/x-ndjson"})

    def reset(call: Call) -> dict[str, Any]:
        application.workspace.reset()
        application.faults.set([])
        application.journal.clear()
        return {}

    handlers: dict[tuple[str, str], Callable[[Call], Any]] = {
        ("GET", "state"): dump,
        ("POST", "reset"): reset,
        ("GET", "clock"): show_clock,
        ("POST", "clock"): move_clock,
        ("GET", "journal"): journal,
    }
    return Router([Route(method, f"/_emulator/{name}", handler, True) for (method, name), handler in handlers.items()])


def dump(call: Call) -> dict[str, Any]:
    return state.dump(call.workspace.state)


def show_clock(call: Call) -> dict[str, str]:
    return {"now": to_iso(call.now)}


def move_clock(call: Call) -> dict[str, str]:
    """`{"advance_seconds": N}` or `{"now": ISO}`; what is due by then happens before the answer."""
    clock = call.workspace.clock
    try:
        if "now" in call.body:
            clock.show(from_iso(call.body["now"]))
        else:
            clock.advance(float(call.required("advance_seconds")))
    except (TypeError, ValueError) as error:
        raise invalid(f"clock: {error}") from None
    return {"now": to_iso(call.workspace.catch_up())}

"""Handles signals, so that long work can shut down cleanly."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Provide an event that is set on Ctrl-C and SIGTERM.

    A second signal ends the program as soon as it has released its resources, a third signal immediately.
    """
    stop = threading.Event()

    def handle_signal(signum: int, frame: FrameType | None) -> None:
        if stop.is_set():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, handle_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

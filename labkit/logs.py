"""Logging on stderr. Messages are escaped: no string from a workspace can break a line or control the terminal.

A program that serves several labs in turn sets `lab_name`, and every line then begins with the lab's name.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType

from labkit.files import MARKER
from labkit.text import escaped

FORMAT = f"%(asctime)s %(levelname)s {MARKER}: %(message)s"
"""The marker in each line identifies a log as ours when the enforcer deletes old files."""


_lab_name: ContextVar[str] = ContextVar("lab_name", default="")


@contextmanager
def lab_name(name: str) -> Iterator[None]:
    """Begin each line that is logged or printed in the block with this name."""
    token = _lab_name.set(name)
    try:
        yield
    finally:
        _lab_name.reset(token)


def print_problem(text: object) -> None:
    """Print a problem as one line on stderr, after the name of the lab, if there is one."""
    print(_named(escaped(text)), file=sys.stderr, flush=True)


def _named(line: str) -> str:
    name = _lab_name.get()
    return f"{name}: {line}" if name else line


class LineFormatter(logging.Formatter):
    """Formats a record as one line, and each line of its traceback as a separate one."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = _named(escaped(record.message))
        return super().formatMessage(record)

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        return "\n".join(escaped(line) for line in super().formatException(ei).split("\n"))


def log_to_stderr(package: str, level: int) -> None:
    """Log the modules of `package` from this level up, and all other modules from WARNING up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(FORMAT))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger(package).setLevel(level)

"""Logging on stderr. Messages are escaped: no string from a workspace can break a line or control the terminal."""

import logging
import sys
from types import TracebackType

from labkit.files import MARKER
from labkit.text import escaped

FORMAT = f"%(asctime)s %(levelname)s {MARKER}: %(message)s"
"""The marker in each line identifies a log as ours when the enforcer deletes old files."""


class LineFormatter(logging.Formatter):
    """Formats a record as one line, and each line of its traceback as a separate one."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = escaped(record.message)
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

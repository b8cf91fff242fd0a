"""The log on stderr, in lines that nothing from a workspace can break or steer a terminal with."""

import logging
import sys
from types import TracebackType

from labkit.files import MARKER
from labkit.text import escaped

FORMAT = f"%(asctime)s %(levelname)s {MARKER}: %(message)s"
"""The mark in each line is how the enforcer's `purge` knows a log as ours."""


class LineFormatter(logging.Formatter):
    """Makes a record one line, and each line of a traceback another."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = escaped(record.message)
        return super().formatMessage(record)

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        return "\n".join(escaped(line) for line in super().formatException(ei).split("\n"))


def log_to_stderr(package: str, level: int) -> None:
    """Log the modules of `package` from this level on, and warnings of all others."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(FORMAT))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger(package).setLevel(level)

"""The log, in lines that nothing from the workspace can break or steer a terminal with. Standard library only."""

import logging

from enforcer.tables import harmless


class Lines(logging.Formatter):
    """A record is one line, and each line of a traceback another."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = harmless(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:
        return "\n".join(harmless(line) for line in super().formatException(ei).split("\n"))  # type: ignore[arg-type]


def log_to_stderr(level: int) -> None:
    """Log our own modules from this level on, and warnings of all others."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("enforcer").setLevel(level)

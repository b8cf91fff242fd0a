"""The kinds of messages that people get, the most urgent first. Pure."""

from enum import Enum


class Kind(Enum):
    STOPPED = "stopped"
    CRASH = "crash"
    WARNING = "warning"
    GIVEN_UP = "given-up"
    DIGEST = "digest"
    REPORT = "report"

    @property
    def rank(self) -> int:
        """Lower ones are sent first."""
        return list(Kind).index(self)

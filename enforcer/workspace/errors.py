"""Errors of the workspace; their messages are sentences. Imports no SDK, so that callers can catch them without it."""

from collections.abc import Sequence

from enforcer.domain.observations import ToldEvent


class WorkspaceError(RuntimeError):
    """Something in the workspace could not be read or changed; the message is a sentence that names it."""


class Unreachable(WorkspaceError):
    """The workspace does not respond, or rejects the credential."""


class NoCredential(WorkspaceError):
    """The settings name a workspace but no credential for it."""


class Gone(WorkspaceError):
    """The cluster does not exist in the workspace."""


class NoFolder(WorkspaceError):
    """The folder of a file to be written does not exist."""


class OutOfTime(WorkspaceError):
    """The time limit for reading is reached."""


class CutShort(WorkspaceError):
    """Only some of the events of a cluster could be read."""

    def __init__(self, sentence: str, told: Sequence[ToldEvent]) -> None:
        super().__init__(sentence)
        self.told = tuple(told)
        """The events that were read, the oldest ones."""

"""Errors of the workspace, with messages for users. Imports no SDK, so that callers can catch them without it."""

from collections.abc import Sequence

from enforcer.domain.observations import RawEvent


class WorkspaceError(RuntimeError):
    """Something in the workspace could not be read or changed; the message describes it."""


class UnreachableError(WorkspaceError):
    """The workspace does not respond, or rejects the credential."""


class MissingCredentialError(WorkspaceError):
    """The settings specify a workspace but no credential for it."""


class ClusterNotFoundError(WorkspaceError):
    """The cluster does not exist in the workspace."""


class FolderNotFoundError(WorkspaceError):
    """The parent folder of a file to be written does not exist."""


class ObjectNotFoundError(WorkspaceError):
    """The folder, file or notebook does not exist."""


class AlreadyExistsError(WorkspaceError):
    """The file to be created exists."""


class FileTooLargeError(WorkspaceError):
    """The file is larger than the caller permits."""


class ReadTimeoutError(WorkspaceError):
    """The time limit for reading is reached."""


class PartialReadError(WorkspaceError):
    """Only some of the events of a cluster could be read."""

    def __init__(self, sentence: str, events: Sequence[RawEvent]) -> None:
        super().__init__(sentence)
        self.events = tuple(events)
        """The events that were read, which are the oldest."""

"""What goes wrong with the workspace, as sentences. Imports no SDK, so that whoever catches these needs none."""

from collections.abc import Sequence

from enforcer.domain.observations import ToldEvent


class WorkspaceError(RuntimeError):
    """One thing in the workspace could not be read or changed; a sentence that names it."""


class Unreachable(WorkspaceError):
    """The workspace does not answer, or refuses who is asking."""


class NoCredential(WorkspaceError):
    """The workspace is named and no setting has a credential for it: a mistake in the settings."""


class Gone(WorkspaceError):
    """The workspace does not know the cluster."""


class NoFolder(WorkspaceError):
    """The folder in which a file was to be written is not there."""


class OutOfTime(WorkspaceError):
    """The time for reading is over."""


class CutShort(WorkspaceError):
    """The events of a cluster were read in part."""

    def __init__(self, sentence: str, told: Sequence[ToldEvent]) -> None:
        super().__init__(sentence)
        self.told = tuple(told)
        """The first of them."""

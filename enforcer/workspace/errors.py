"""What goes wrong with the workspace, as sentences. Imports nothing, so that whoever catches these needs no SDK."""


class WorkspaceError(RuntimeError):
    """One thing in the workspace could not be read or changed; a sentence that names it."""


class Unreachable(WorkspaceError):
    """The workspace does not answer, or refuses who is asking."""


class Gone(WorkspaceError):
    """The cluster was deleted for good."""

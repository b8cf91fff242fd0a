"""What goes wrong with the workspace, as sentences. Imports nothing, so that whoever catches these needs no SDK."""


class WorkspaceError(RuntimeError):
    """One thing in the workspace could not be read or changed; a sentence that names it."""


class Unreachable(WorkspaceError):
    """The workspace does not answer, or refuses who is asking."""


class NoCredential(WorkspaceError):
    """The workspace is named and no setting has a credential for it: a mistake in the settings."""


class Gone(WorkspaceError):
    """The cluster was deleted for good."""

"""Whether DBFS and the other legacy features are switched off."""

from emulator.models.settings import LEGACY_DBFS
from emulator.state.workspace import EmulatedWorkspace


def legacy_dbfs_is_disabled(workspace: EmulatedWorkspace) -> bool:
    """Whether this is an account without DBFS, or its administrator has switched DBFS off."""
    stored = workspace.state.settings.versioned.get(LEGACY_DBFS)
    if stored is None or stored.value is None:
        return not workspace.options.dbfs
    return bool(stored.value[LEGACY_DBFS]["value"])

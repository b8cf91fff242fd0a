"""Checks whether DBFS and the other legacy features are disabled."""

from emulator.models.settings import LEGACY_DBFS
from emulator.state.workspace import EmulatedWorkspace


def legacy_dbfs_is_disabled(workspace: EmulatedWorkspace) -> bool:
    """Return whether the account has no DBFS, or an administrator has disabled it."""
    stored = workspace.state.settings.versioned.get(LEGACY_DBFS)
    if stored is None or stored.value is None:
        return not workspace.options.dbfs
    return bool(stored.value[LEGACY_DBFS]["value"])

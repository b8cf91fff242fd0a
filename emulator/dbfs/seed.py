"""Folders of DBFS in a new workspace; none if DBFS is disabled."""

from emulator.state.workspace import EmulatedWorkspace

FOLDERS = ("FileStore", "Users", "databricks-results", "tmp", "user")


def seed(workspace: EmulatedWorkspace) -> None:
    if workspace.options.dbfs:
        for name in FOLDERS:
            workspace.state.dbfs.make_folders((name,), workspace.clock.now())

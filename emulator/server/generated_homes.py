"""The owners of generated homes, their groups, and the homes, which are all that is held of what they contain."""

from emulator.generated_files.homes import Forest, forest
from emulator.models.dbfs import Entry
from emulator.models.objects import Node
from emulator.scim.changes import create_group, create_user
from emulator.state.workspace import Workspace


def seed(workspace: Workspace) -> None:
    if workspace.options.files == "none":
        return
    state = workspace.state
    state.objects.forest = state.dbfs.forest = forest(workspace.options.files, workspace.options.seed or "0")
    _plant_in_workspace(workspace, state.objects.forest)
    if workspace.options.dbfs:
        _plant_in_dbfs(workspace, state.objects.forest)


def _plant_in_workspace(workspace: Workspace, forest: Forest) -> None:
    """Users as SCIM makes them; each finds the home there and gets it."""
    objects, now = workspace.state.objects, workspace.clock.now()
    folder = objects.find(("Users",))
    assert folder is not None
    members: dict[int, list[dict[str, str]]] = {}
    for number, name in enumerate(forest.users):
        root = forest.homes["workspace", name].root
        objects.nodes[root.id] = Node(
            id=root.id, parent=folder.id, name=name, kind="DIRECTORY", created_at=now, modified_at=now
        )
        folder.children[name] = root.id
        user = create_user(workspace, {"userName": name}, now)
        members.setdefault(number * forest.shape.groups // len(forest.users), []).append({"value": user.id})
    for number in range(forest.shape.groups):
        body = {"displayName": f"team_{number + 1:02}", "members": members.get(number, [])}
        create_group(workspace, body, now)


def _plant_in_dbfs(workspace: Workspace, forest: Forest) -> None:
    dbfs, now = workspace.state.dbfs, workspace.clock.now()
    folder = dbfs.make_folders(("Users",), now)
    for source, name in forest.homes:
        if source == "dbfs":
            root = forest.homes[source, name].root
            dbfs.entries[root.id] = Entry(id=root.id, parent=folder.id, name=name, is_dir=True, modified_at=now)
            folder.children[name] = root.id

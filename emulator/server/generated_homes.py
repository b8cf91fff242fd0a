"""Seeds generated homes: owners, groups and home folders. Everything below the home folders is generated."""

from emulator.generated_files.homes import GeneratedTree, generated_tree
from emulator.models.files.dbfs import FileEntry
from emulator.models.files.objects import Node
from emulator.scim.changes import create_group, create_user
from emulator.state.workspace import EmulatedWorkspace


def seed(workspace: EmulatedWorkspace) -> None:
    if workspace.options.files == "none":
        return
    state = workspace.state
    state.objects.generated_tree = state.dbfs.generated_tree = generated_tree(
        workspace.options.files, workspace.options.seed or "0"
    )
    _seed_workspace(workspace, state.objects.generated_tree)
    if workspace.options.dbfs:
        _seed_dbfs(workspace, state.objects.generated_tree)


def _seed_workspace(workspace: EmulatedWorkspace, tree: GeneratedTree) -> None:
    """Create the home folders and then, through SCIM, their owners, who get these homes."""
    objects, now = workspace.state.objects, workspace.clock.now()
    folder = objects.find(("Users",))
    assert folder is not None
    members: dict[int, list[dict[str, str]]] = {}
    for number, name in enumerate(tree.users):
        root = tree.homes["workspace", name].root
        objects.nodes[root.id] = Node(
            id=root.id, parent=folder.id, name=name, kind="DIRECTORY", created_at=now, modified_at=now
        )
        folder.children[name] = root.id
        user = create_user(workspace, {"userName": name}, now)
        members.setdefault(number * tree.shape.groups // len(tree.users), []).append({"value": user.id})
    for number in range(tree.shape.groups):
        body = {"displayName": f"team_{number + 1:02}", "members": members.get(number, [])}
        create_group(workspace, body, now)


def _seed_dbfs(workspace: EmulatedWorkspace, tree: GeneratedTree) -> None:
    dbfs, now = workspace.state.dbfs, workspace.clock.now()
    folder = dbfs.make_folders(("Users",), now)
    for source, name in tree.homes:
        if source == "dbfs":
            root = tree.homes[source, name].root
            dbfs.entries[root.id] = FileEntry(id=root.id, parent=folder.id, name=name, is_dir=True, modified_at=now)
            folder.children[name] = root.id

"""Notebooks, files and folders: a tree of objects by id, in which each folder has the ids of its children."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from emulator.base.clock import Millis
from emulator.base.content import EMPTY, Content, GeneratedContent
from emulator.base.ids import Ids
from emulator.base.paths import WorkspacePath
from emulator.generated_files.homes import GeneratedItem, GeneratedTree
from emulator.generated_files.overlay import ROOT, OverlayTree

Kind = Literal["DIRECTORY", "NOTEBOOK", "FILE", "REPO", "LIBRARY", "DASHBOARD", "MLFLOW_EXPERIMENT"]
CONTAINERS = ("DIRECTORY", "REPO")

ACL_NAMES: dict[Kind, str] = {
    "DIRECTORY": "directories",
    "NOTEBOOK": "notebooks",
    "FILE": "files",
    "REPO": "repos",
    "LIBRARY": "libraries",
    "DASHBOARD": "dashboards",
    "MLFLOW_EXPERIMENT": "experiments",
}
"""Kind → type in an object's name in the permissions API."""
_TREE_TYPES = frozenset(ACL_NAMES.values())
_RESOURCE_ID = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True)
class GitCheckout:
    """The repository and checkout of a git folder."""

    url: str
    provider: str
    branch: str | None
    """None if a tag is checked out."""
    head_commit_id: str
    sparse: list[str] | None = None
    """Patterns of a sparse checkout; None means everything."""


@dataclass(kw_only=True)
class Dashboard:
    """What a dashboard has besides the content of its draft."""

    warehouse_id: str = ""
    """The SQL warehouse of the draft."""
    published: dict[str, Any] | None = None
    """The published dashboard as in the API; None if it is not published."""


@dataclass(kw_only=True)
class Node:
    """An object in the workspace."""

    id: int
    parent: int
    """The parent folder's id; the root is its own parent."""
    name: str
    kind: Kind
    created_at: Millis
    modified_at: Millis
    language: str | None = None
    """PYTHON, SQL, SCALA or R, for a notebook."""
    stored_as: Literal["SOURCE", "JUPYTER"] = "SOURCE"
    """The imported format of a notebook; an export in this format returns the same bytes."""
    content: Content = EMPTY
    resource_id: str = ""
    """Only if different from the id (dashboards)."""
    git: GitCheckout | None = None
    """Only for a git folder."""
    dashboard: Dashboard | None = None
    """Only for a dashboard that the API for dashboards created, changed or published."""
    children: dict[str, int] = field(default_factory=dict)
    """Children of a folder; see `overlay.TreeNode`."""

    @property
    def acl_name(self) -> str:
        """The name in the permissions API, such as `/notebooks/12`."""
        return f"/{ACL_NAMES[self.kind]}/{self.id}"

    @property
    def is_container(self) -> bool:
        return self.kind in CONTAINERS


def _root() -> dict[int, Node]:
    return {ROOT: Node(id=ROOT, parent=ROOT, name="", kind="DIRECTORY", created_at=0, modified_at=0)}


@dataclass(kw_only=True)
class TrashedDashboard:
    """A dashboard that was moved to the trash."""

    trashed_at: Millis
    info: dict[str, Any]
    """The dashboard as in the API."""


@dataclass
class Objects(OverlayTree[Node]):
    """The tree of one workspace. Names are case-sensitive."""

    nodes: dict[int, Node] = field(default_factory=_root)
    generated_tree: Annotated[GeneratedTree | None, Field(alias="forest")] = None
    trash: dict[str, TrashedDashboard] = field(default_factory=dict)
    """Dashboards by resource id."""

    @property
    def stored(self) -> dict[int, Node]:
        return self.nodes

    def from_generated(self, item: GeneratedItem) -> Node:
        if item.is_container:
            content: Content = EMPTY
        else:
            flavour = "dashboard" if item.kind == "DASHBOARD" else item.language or ""
            content = GeneratedContent(flavour, item.id, item.size)
        return Node(
            id=item.id,
            parent=item.parent,
            name=item.name,
            kind=item.kind,
            created_at=item.modified_at,
            modified_at=item.modified_at,
            language=item.language,
            content=content,
            resource_id=f"{item.id:032x}" if item.kind == "DASHBOARD" else "",
            git=_git_of(item) if item.kind == "REPO" else None,
        )

    def path(self, node: Node) -> str:
        return "/" + "/".join(self.names(node))

    def add(self, ids: Ids, folder: Node, name: str, kind: Kind, now: Millis, language: str | None = None) -> Node:
        """Add a new, empty object. The folder must not have an object with this name."""
        folder = self.store(folder)
        number = ids.number("object", f"{folder.id}/{name}")
        node = Node(
            id=number, parent=folder.id, name=name, kind=kind, created_at=now, modified_at=now, language=language
        )
        self.nodes[number] = node
        folder.children[name] = number
        return node

    def make_folders(self, ids: Ids, path: WorkspacePath, now: Millis) -> list[Node]:
        """Create the missing folders down to `path`; return the new ones, outermost first.

        Raises ValueError with an ancestor's path if this ancestor is not a folder.
        """
        created = []
        node = self.root
        for depth, name in enumerate(path.names, 1):
            child = self.child(node, name)
            if child is None:
                node = self.add(ids, node, name, "DIRECTORY", now)
                created.append(node)
            else:
                node = child
                if not node.is_container:
                    raise ValueError(WorkspacePath(path.names[:depth], path.prefix).text)
        return created

    def remove(self, node: Node) -> list[Node]:
        """Remove the object and everything below it; return the removed objects that were stored."""
        self.detach(node)
        removed = list(self.stored_below(node))
        for child in removed:
            del self.nodes[child.id]
        return removed

    def find_by_acl_name(self, object_id: str) -> Node | None:
        """Return the object with a name such as `/notebooks/12`; None if it does not exist or has a different type."""
        _, kind, number = object_id.split("/", 2) if object_id.count("/") == 2 else ("", "", "")
        if kind not in _TREE_TYPES or not (number.isascii() and number.isdigit()):
            return None
        node = self.get(int(number))
        return node if node and ACL_NAMES[node.kind] == kind and self.is_reachable(node) else None

    def find_dashboard(self, resource_id: str) -> Node | None:
        """Return the dashboard with this resource id; None if it does not exist."""
        stored = next((node for node in self.nodes.values() if node.resource_id == resource_id), None)
        if stored is None and _RESOURCE_ID.fullmatch(resource_id):
            stored = self.get(int(resource_id, 16))
        is_found = stored is not None and stored.resource_id == resource_id and self.is_reachable(stored)
        return stored if is_found else None

    def move(self, node: Node, folder: Node, name: str) -> None:
        """Move an object that is no folder. The target folder must not have an object with this name."""
        node, folder = self.store(node), self.store(folder)
        self.detach(node)
        node.parent, node.name = folder.id, name
        folder.children[name] = node.id

    def ancestors(self, object_id: str) -> Iterator[str]:
        """Yield the names of the folders above an object such as `/notebooks/12`, nearest first."""
        node = self.find_by_acl_name(object_id)
        while node and node.id != ROOT:
            node = self.folder_of(node)
            yield node.acl_name


def _git_of(item: GeneratedItem) -> GitCheckout:
    """Return the checkout of a generated git folder."""
    url = f"https://github.com/lab-students/project-{item.id % 1000:03}.git"
    return GitCheckout(url=url, provider="gitHub", branch="main", head_commit_id=f"{item.id:040x}")

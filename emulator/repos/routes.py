"""HTTP handlers for git folders: `/api/2.0/repos`. Git folders are workspace objects with additional Git data.

Nothing is fetched: a new git folder is empty until something is imported into it. The last commit of a branch is
derived from its name and the repository's URL.
"""

import hashlib
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from emulator.api.errors import ApiError, exists, invalid, missing
from emulator.api.routing import Request, Routes
from emulator.base.paths import WorkspacePath
from emulator.models.files.objects import GitCheckout, Node, Objects
from emulator.objects import imports
from emulator.objects.paths import parse
from emulator.objects.rights import Rights

routes = Routes()
PAGE = 20
PROVIDERS = {
    name.lower(): name
    for name in (
        "gitHub",
        "gitHubEnterprise",
        "bitbucketCloud",
        "bitbucketServer",
        "gitLab",
        "gitLabEnterpriseEdition",
        "azureDevOpsServices",
        "awsCodeCommit",
    )
}


@routes.get("/api/2.0/repos")
def list_repos(request: Request) -> dict[str, Any]:
    """List the git folders that the caller manages, sorted by path; without a prefix, only git folders in `/Repos`."""
    rights = Rights(request)
    objects = request.workspace.state.objects
    prefix = parse(request.argument("path_prefix") or "/Repos")
    wanted = prefix.text if prefix.names else f"{prefix.prefix}/Repos"
    managed = (
        (prefix.prefix + objects.path(node), node)
        for node in _repos(objects)
        if rights.has_permission(node, "CAN_MANAGE")
    )
    matching = sorted((found for found in managed if found[0].startswith(wanted)), key=itemgetter(0))
    begin = request.number("next_page_token", 0)
    page = {"repos": [describe(node, path) for path, node in matching[begin : begin + PAGE]]}
    more = begin + PAGE < len(matching)
    return page | ({"next_page_token": str(begin + PAGE)} if more else {})


@routes.post("/api/2.0/repos")
def create(request: Request) -> dict[str, Any]:
    url, provider = str(request.required("url")), PROVIDERS.get(str(request.body.get("provider", "")).lower())
    if provider is None:
        raise invalid(f"provider must be one of {', '.join(PROVIDERS.values())}")
    objects = request.workspace.state.objects
    path = _target_path(request, url)
    if path.names[:-1] == ("Repos", request.caller.name):
        _make_own_folder(request, path.parent)
    folder = objects.find(path.parent.names)
    if folder is None:
        raise missing(f"The parent folder ({path.parent.text}) does not exist.")
    if objects.find(path.names):
        raise exists(f"Path ({path.text}) already exists.")
    node = imports.add_object(request, Rights(request), folder, path, "REPO")
    sparse = request.body.get("sparse_checkout")
    patterns = _patterns(sparse) if sparse is not None else None
    node.git = GitCheckout(
        url=url, provider=provider, branch="main", head_commit_id=_commit(url, "main"), sparse=patterns
    )
    return describe(node, path.text)


@routes.get("/api/2.0/repos/{number}")
def get(request: Request) -> dict[str, Any]:
    node = _find(request)
    Rights(request).require(node, "CAN_READ", WorkspacePath(request.workspace.state.objects.names(node)))
    return describe(node, request.workspace.state.objects.path(node))


@routes.patch("/api/2.0/repos/{number}")
def update(request: Request) -> dict[str, Any]:
    """Check out a branch or a tag; after a tag, there is no current branch."""
    node = _find(request)
    objects = request.workspace.state.objects
    Rights(request).require(node, "CAN_EDIT", WorkspacePath(objects.names(node)))
    branch, tag = request.body.get("branch"), request.body.get("tag")
    if (branch is None) == (tag is None):
        raise invalid("Exactly one of branch and tag must be given.")
    node = objects.store(node)
    git = _git(node)
    sparse = request.body.get("sparse_checkout")
    if sparse is not None and git.sparse is None:
        raise invalid("Sparse checkout cannot be enabled after the git folder was created.")
    node.git = GitCheckout(
        url=git.url,
        provider=git.provider,
        branch=None if branch is None else str(branch),
        head_commit_id=_commit(git.url, str(branch or tag)),
        sparse=git.sparse if sparse is None else _patterns(sparse),
    )
    return {}


@routes.delete("/api/2.0/repos/{number}")
def delete(request: Request) -> dict[str, Any]:
    node = _find(request)
    state = request.workspace.state
    Rights(request).require(node, "CAN_MANAGE", WorkspacePath(state.objects.names(node)))
    for gone in state.objects.remove(node):
        state.acls.remove_object(gone.acl_name)
    return {}


def describe(node: Node, path: str) -> dict[str, Any]:
    git = _git(node)
    info = {"id": node.id, "path": path, "url": git.url, "provider": git.provider, "head_commit_id": git.head_commit_id}
    info |= {"branch": git.branch} if git.branch is not None else {}
    return info | ({"sparse_checkout": {"patterns": git.sparse}} if git.sparse is not None else {})


def _repos(objects: Objects) -> Iterator[Node]:
    yield from (node for node in objects.nodes.values() if node.kind == "REPO")
    for item in objects.generated_tree.repos() if objects.generated_tree else ():
        if item.id not in objects.nodes and objects.is_reachable(node := objects.from_generated(item)):
            yield node


def _find(request: Request) -> Node:
    number = request.parameters["number"]
    node = request.workspace.state.objects.find_by_acl_name(f"/repos/{number}")
    if node is None:
        raise missing(f"Repo {number} does not exist.")
    return node


def _git(node: Node) -> GitCheckout:
    assert node.git is not None, f"{node.name} has no Git data"
    return node.git


def _target_path(request: Request, url: str) -> WorkspacePath:
    """Return the path for a new git folder, by default in the caller's folder in `/Repos`."""
    if request.body.get("path"):
        path = parse(request.body["path"])
        if not path.names or (path.names[0] == "Repos" and len(path.names) != 3):
            raise invalid(f"The path must be /Repos/<folder>/<name> or in another folder, not {path.text}")
        return path
    name = url.rstrip("/").rpartition("/")[2].removesuffix(".git")
    if not name:
        raise invalid(f"The address names no repository: {url}")
    return WorkspacePath(("Repos", request.caller.name, name))


def _make_own_folder(request: Request, path: WorkspacePath) -> None:
    """Create the caller's folder in `/Repos`, which the caller manages, if it does not exist."""
    state = request.workspace.state
    try:
        folders = state.objects.make_folders(state.ids, path, request.now)
    except ValueError as error:
        raise exists(f"Path ({error}) already exists and is not a folder.") from None
    for made in folders:
        state.acls.grant(made.acl_name, request.caller.id, "CAN_MANAGE")


def _patterns(sparse: Any) -> list[str]:
    patterns = sparse.get("patterns") if isinstance(sparse, dict) else None
    if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
        raise ApiError(400, "MALFORMED_REQUEST", "sparse_checkout must be an object with a list of patterns.")
    return patterns


def _commit(url: str, reference: str) -> str:
    return hashlib.sha1(f"{url}#{reference}".encode(), usedforsecurity=False).hexdigest()

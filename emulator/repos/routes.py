"""HTTP of `repos`: `/api/2.0/repos`. Git folders are objects of the workspace; this is their side that knows of Git.

Nothing is fetched: what a new git folder holds is what is imported into it. A branch's last commit follows from its
name and the repository's address.
"""

import hashlib
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from emulator.api.errors import ApiError, exists, invalid, missing
from emulator.api.routing import Call, Routes
from emulator.base.paths import Place
from emulator.models.objects import Git, Node, Objects
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
def list_repos(call: Call) -> dict[str, Any]:
    """Those that the caller manages, by path; without a prefix those below `/Repos`."""
    rights = Rights(call)
    objects = call.workspace.state.objects
    prefix = parse(call.argument("path_prefix") or "/Repos")
    wanted = prefix.text if prefix.names else f"{prefix.prefix}/Repos"
    managed = ((prefix.prefix + objects.path(node), node) for node in _repos(objects) if rights.may(node, "CAN_MANAGE"))
    matching = sorted((found for found in managed if found[0].startswith(wanted)), key=itemgetter(0))
    begin = call.number("next_page_token", 0)
    page = {"repos": [describe(node, path) for path, node in matching[begin : begin + PAGE]]}
    more = begin + PAGE < len(matching)
    return page | ({"next_page_token": str(begin + PAGE)} if more else {})


@routes.post("/api/2.0/repos")
def create(call: Call) -> dict[str, Any]:
    url, provider = str(call.required("url")), PROVIDERS.get(str(call.body.get("provider", "")).lower())
    if provider is None:
        raise invalid(f"provider must be one of {', '.join(PROVIDERS.values())}")
    place = _place(call, url)
    objects = call.workspace.state.objects
    folder = objects.find(place.parent.names)
    if folder is None:
        raise missing(f"The parent folder ({place.parent.text}) does not exist.")
    if objects.find(place.names):
        raise exists(f"Path ({place.text}) already exists.")
    node = imports.add(call, Rights(call), folder, place, "REPO")
    sparse = call.body.get("sparse_checkout")
    patterns = _patterns(sparse) if sparse is not None else None
    node.git = Git(url=url, provider=provider, branch="main", head_commit_id=_commit(url, "main"), sparse=patterns)
    return describe(node, place.text)


@routes.get("/api/2.0/repos/{number}")
def get(call: Call) -> dict[str, Any]:
    node = _found(call)
    Rights(call).require(node, "CAN_READ", Place(call.workspace.state.objects.names(node)))
    return describe(node, call.workspace.state.objects.path(node))


@routes.patch("/api/2.0/repos/{number}")
def update(call: Call) -> dict[str, Any]:
    """Check out another branch, or a tag, which is no branch."""
    node = _found(call)
    objects = call.workspace.state.objects
    Rights(call).require(node, "CAN_EDIT", Place(objects.names(node)))
    branch, tag = call.body.get("branch"), call.body.get("tag")
    if (branch is None) == (tag is None):
        raise invalid("Exactly one of branch and tag must be given.")
    node = objects.hold(node)
    git = _git(node)
    sparse = call.body.get("sparse_checkout")
    if sparse is not None and git.sparse is None:
        raise invalid("Sparse checkout cannot be enabled after the git folder was created.")
    node.git = Git(
        url=git.url,
        provider=git.provider,
        branch=None if branch is None else str(branch),
        head_commit_id=_commit(git.url, str(branch or tag)),
        sparse=git.sparse if sparse is None else _patterns(sparse),
    )
    return {}


@routes.delete("/api/2.0/repos/{number}")
def delete(call: Call) -> dict[str, Any]:
    node = _found(call)
    state = call.workspace.state
    Rights(call).require(node, "CAN_MANAGE", Place(state.objects.names(node)))
    for gone in state.objects.remove(node):
        state.acls.forget(gone.acl_name)
    return {}


def describe(node: Node, path: str) -> dict[str, Any]:
    git = _git(node)
    info = {"id": node.id, "path": path, "url": git.url, "provider": git.provider, "head_commit_id": git.head_commit_id}
    info |= {"branch": git.branch} if git.branch is not None else {}
    return info | ({"sparse_checkout": {"patterns": git.sparse}} if git.sparse is not None else {})


def _repos(objects: Objects) -> Iterator[Node]:
    yield from (node for node in objects.nodes.values() if node.kind == "REPO")
    for item in objects.forest.repos() if objects.forest else ():
        if item.id not in objects.nodes and objects.is_there(node := objects.grown(item)):
            yield node


def _found(call: Call) -> Node:
    number = call.parameters["number"]
    node = call.workspace.state.objects.named_in_acl(f"/repos/{number}")
    if node is None:
        raise missing(f"Repo {number} does not exist.")
    return node


def _git(node: Node) -> Git:
    assert node.git is not None, f"{node.name} is a git folder without Git"
    return node.git


def _place(call: Call, url: str) -> Place:
    """Where a new git folder is to lie; the caller's folder below `/Repos` is made when nothing else is said."""
    if call.body.get("path"):
        place = parse(call.body["path"])
        if not place.names or (place.names[0] == "Repos" and len(place.names) != 3):
            raise invalid(f"The path must be /Repos/<folder>/<name> or in another folder, not {place.text}")
        return place
    name = url.rstrip("/").rpartition("/")[2].removesuffix(".git")
    if not name:
        raise invalid(f"The address names no repository: {url}")
    place = Place(("Repos", call.caller.name, name))
    state = call.workspace.state
    try:
        folders = state.objects.make_folders(state.ids, place.parent, call.now)
    except ValueError as error:
        raise exists(f"Path ({error}) already exists and is not a folder.") from None
    for made in folders:
        state.acls.grant(made.acl_name, call.caller.id, "CAN_MANAGE")
    return place


def _patterns(sparse: Any) -> list[str]:
    patterns = sparse.get("patterns") if isinstance(sparse, dict) else None
    if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
        raise ApiError(400, "MALFORMED_REQUEST", "sparse_checkout must be an object with a list of patterns.")
    return patterns


def _commit(url: str, reference: str) -> str:
    return hashlib.sha1(f"{url}#{reference}".encode(), usedforsecurity=False).hexdigest()

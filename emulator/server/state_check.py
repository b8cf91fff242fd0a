"""Checks the consistency of a state that was read from a file, before the emulator is ready."""

import copy

from emulator.api.errors import ApiError
from emulator.api.routing import Router
from emulator.generated_files.overlay import DELETED, ROOT, NodeT, OverlayTree
from emulator.server import services
from emulator.server.in_process import send_request
from emulator.state.state import WorkspaceState
from emulator.state.workspace import EmulatedWorkspace


def find_damage(workspace: EmulatedWorkspace) -> str:
    """Return location and reason of the first inconsistency in the state, or an empty string.

    Due tasks run in a copy of the state: a state whose tasks raise an exception is not served.
    """
    state = workspace.state
    trees = {
        "objects": _find_tree_damage(state.objects),
        "dbfs": _find_tree_damage(state.dbfs),
        "volumes": _find_tree_damage(state.volumes),
    }
    for name, problem in trees.items():
        if problem:
            return f"{name}: {problem}"
    return _find_service_damage(workspace, state)


def _find_tree_damage(tree: OverlayTree[NodeT]) -> str:
    """Check that each object is in an existing folder, under its name."""
    stored = tree.stored
    if ROOT not in stored:
        return "the root is missing"
    for number, node in stored.items():
        if node.id != number:
            return f"object {number} has the id {node.id}"
        if node.parent not in stored and (tree.generated_tree is None or tree.get(node.parent) is None):
            return f"object {number} is in folder {node.parent}, which does not exist"
        for name, child in node.children.items():
            if child != DELETED and (
                child not in stored or stored[child].parent != number or stored[child].name != name
            ):
                return f"object {number} has the child {child} named {name!r}, which does not exist"
    return ""


def _find_service_damage(workspace: EmulatedWorkspace, state: WorkspaceState) -> str:
    routes = services.routes()
    router = Router(routes)
    trial = copy.copy(workspace)
    trial.state = copy.deepcopy(state)
    step = "agenda"
    try:
        trial.catch_up()
        for step in (route.pattern for route in routes if route.method == "GET" and "{" not in route.pattern):
            try:
                send_request(trial, router, "GET", step)
            except ApiError:
                continue
    except Exception as error:  # noqa: BLE001 - a damaged state can raise anything
        return f"{step}: {type(error).__name__} {error}"
    return ""

"""Whether a state that was read from a file fits together, before anybody is told that the emulator is ready."""

import copy

from emulator.api.errors import ApiError
from emulator.api.routing import Router
from emulator.generated_files.overlay import GONE, ROOT, P, Tree
from emulator.server import services
from emulator.server.in_process import perform
from emulator.state.state import State
from emulator.state.workspace import Workspace

LISTS = (
    "/api/2.0/preview/scim/v2/Users",
    "/api/2.0/preview/scim/v2/Groups",
    "/api/2.0/preview/scim/v2/ServicePrincipals",
    "/api/2.0/preview/scim/v2/Me",
    "/api/2.1/clusters/list",
    "/api/2.0/libraries/all-cluster-statuses",
    "/api/2.0/policies/clusters/list",
    "/api/2.0/instance-pools/list",
    "/api/2.0/secrets/scopes/list",
    "/api/2.0/token/list",
    "/api/2.0/repos",
)
"""What each service describes of its own."""


def damage(workspace: Workspace) -> str:
    """What in the state does not fit together, as a place and a reason; empty if everything does.

    What is due happens in a copy: a state that ends in an exception is not served.
    """
    state = workspace.state
    trees = {
        "objects": _damage_of_tree(state.objects),
        "dbfs": _damage_of_tree(state.dbfs),
        "volumes": _damage_of_tree(state.volumes),
    }
    for name, problem in trees.items():
        if problem:
            return f"{name}: {problem}"
    return _damage_of_services(workspace, state)


def _damage_of_tree(tree: Tree[P]) -> str:
    """Every object has to lie in a folder that is there, under a name that leads to it."""
    held = tree.held
    if ROOT not in held:
        return "there is no root"
    for number, one in held.items():
        if one.id != number:
            return f"object {number} says that it is {one.id}"
        if one.parent not in held and (tree.forest is None or tree.get(one.parent) is None):
            return f"object {number} lies in {one.parent}, which is not there"
        for name, child in one.children.items():
            if child != GONE and (child not in held or held[child].parent != number or held[child].name != name):
                return f"object {number} names {child} as {name!r}, which is not there"
    return ""


def _damage_of_services(workspace: Workspace, state: State) -> str:
    router = Router(services.routes())
    trial = copy.copy(workspace)
    trial.state = copy.deepcopy(state)
    step = "agenda"
    try:
        trial.catch_up()
        for step in LISTS:
            try:
                perform(trial, router, "GET", step)
            except ApiError:
                continue
    except Exception as error:  # noqa: BLE001 - whatever a damaged state leads to
        return f"{step}: {type(error).__name__} {error}"
    return ""

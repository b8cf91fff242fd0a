"""Installs libraries: on a running cluster they become PENDING, RESOLVING, INSTALLING and INSTALLED.

On a stopped cluster libraries stay PENDING. Uninstalling from a running cluster takes effect at the next restart.
"""

from typing import Any

from emulator.base.clock import Millis
from emulator.base.scheduler import task_handler
from emulator.models.clusters import USABLE_STATES
from emulator.models.libraries import Installation, library_key, library_name
from emulator.state.workspace import EmulatedWorkspace

STEP = "libraries.step"


def install(workspace: EmulatedWorkspace, cluster_id: str, libraries: list[dict[str, Any]], at: Millis) -> None:
    """Install libraries. Libraries already on the cluster are left unchanged, except that failed ones are retried."""
    state = workspace.state
    running = state.clusters.by_id[cluster_id].state in USABLE_STATES
    for library in libraries:
        found = state.libraries.find(cluster_id, library)
        if found is None:
            found = Installation(library)
            state.libraries.by_cluster.setdefault(cluster_id, []).append(found)
        elif found.status == "UNINSTALL_ON_RESTART":
            found.status = "INSTALLED"
            continue
        elif found.status != "FAILED":
            continue
        found.status, found.messages = "PENDING", []
        if running:
            _begin(workspace, cluster_id, found, at)


def uninstall(workspace: EmulatedWorkspace, cluster_id: str, libraries: list[dict[str, Any]]) -> None:
    """Uninstall libraries: at once if they are not in use, otherwise at the next restart."""
    state = workspace.state
    running = state.clusters.by_id[cluster_id].state in USABLE_STATES
    for library in libraries:
        found = state.libraries.find(cluster_id, library)
        if found is None:
            continue
        state.scheduler.cancel(STEP, cluster_id=cluster_id, library=library_key(library))
        if running and found.status != "FAILED":
            found.status = "UNINSTALL_ON_RESTART"
        else:
            state.libraries.by_cluster[cluster_id].remove(found)


def on_running(workspace: EmulatedWorkspace, cluster_id: str, at: Millis) -> None:
    """Install all libraries of a cluster that is now running."""
    for installation in workspace.state.libraries.on_cluster(cluster_id):
        _begin(workspace, cluster_id, installation, at)


def on_stopped(workspace: EmulatedWorkspace, cluster_id: str, at: Millis) -> None:
    """On termination or restart, remove the libraries to be uninstalled; the others become PENDING."""
    state = workspace.state
    state.scheduler.cancel(STEP, cluster_id=cluster_id)
    kept = [one for one in state.libraries.on_cluster(cluster_id) if one.status != "UNINSTALL_ON_RESTART"]
    if cluster_id in state.libraries.by_cluster:
        state.libraries.by_cluster[cluster_id] = kept
    for installation in kept:
        installation.status, installation.messages = "PENDING", []


def on_removed(workspace: EmulatedWorkspace, cluster_id: str) -> None:
    """Remove the libraries of a permanently deleted cluster."""
    workspace.state.scheduler.cancel(STEP, cluster_id=cluster_id)
    workspace.state.libraries.by_cluster.pop(cluster_id, None)


def _begin(workspace: EmulatedWorkspace, cluster_id: str, installation: Installation, at: Millis) -> None:
    failure = workspace.state.libraries.next_failure(installation.library)
    if failure and failure.outcome == "stuck":
        return
    message = ""
    if failure:
        name = library_name(installation.library)
        message = failure.message or f"Library installation failed: {name} could not be resolved or downloaded."
    _enter(workspace, cluster_id, installation, "RESOLVING", at + workspace.transition(0.25), message)


def _enter(
    workspace: EmulatedWorkspace, cluster_id: str, installation: Installation, to: str, due: Millis, message: str
) -> None:
    library = library_key(installation.library)
    workspace.state.scheduler.schedule(due, STEP, cluster_id=cluster_id, library=library, to=to, message=message)


@task_handler(STEP)
def advance(workspace: EmulatedWorkspace, at: Millis, *, cluster_id: str, library: str, to: str, message: str) -> None:
    """Advance the installation by one status. `message` is the error if the installation fails, otherwise empty."""
    installation = next(
        one for one in workspace.state.libraries.on_cluster(cluster_id) if library_key(one.library) == library
    )
    match to:
        case "RESOLVING":
            installation.status = "RESOLVING"
            _enter(workspace, cluster_id, installation, "INSTALLING", at + workspace.transition(0.25), message)
        case "INSTALLING":
            installation.status = "INSTALLING"
            outcome = "FAILED" if message else "INSTALLED"
            _enter(workspace, cluster_id, installation, outcome, at + workspace.transition(0.5), message)
        case "FAILED":
            installation.status, installation.messages = "FAILED", [message]
        case _:
            installation.status = "INSTALLED"

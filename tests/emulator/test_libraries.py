"""Libraries on clusters in the emulated workspace: their statuses over time."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.models.libraries import LibraryFailure
from emulator_process import EmulatorProcess
from in_process_workspace import SPEC, InProcessWorkspace

PANDAS: dict[str, Any] = {"pypi": {"package": "Pandas==2.2.2"}}
KAFKA: dict[str, Any] = {"maven": {"coordinates": "org.apache:kafka:1", "repo": "https://x", "exclusions": ["a:b"]}}
WHEEL: dict[str, Any] = {"whl": "/Shared/lab.whl"}


def install(
    workspace: InProcessWorkspace, cluster_id: str, *libraries: dict[str, Any], verb: str = "install", user: Any = None
) -> Any:
    body = {"cluster_id": cluster_id, "libraries": list(libraries)}
    return workspace.call("POST", f"/api/2.0/libraries/{verb}", body, user)


def shown(workspace: InProcessWorkspace, cluster_id: str) -> list[dict[str, Any]]:
    answer = workspace.call("GET", f"/api/2.0/libraries/cluster-status?cluster_id={cluster_id}")
    assert answer["cluster_id"] == cluster_id
    return list(answer["library_statuses"])


def statuses(workspace: InProcessWorkspace, cluster_id: str) -> list[str]:
    return [one["status"] for one in shown(workspace, cluster_id)]


def test_a_library_is_installed_within_one_transition(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running()
    install(workspace, cluster_id, PANDAS)
    seen = [statuses(workspace, cluster_id)[0]]
    for _ in range(4):
        workspace.advance(0.5)
        seen.append(statuses(workspace, cluster_id)[0])
    assert seen == ["PENDING", "RESOLVING", "INSTALLING", "INSTALLING", "INSTALLED"]


def test_libraries_are_returned_exactly_as_sent(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running()
    install(workspace, cluster_id, PANDAS, KAFKA)
    install(workspace, cluster_id, PANDAS, WHEEL)
    assert [one["library"] for one in shown(workspace, cluster_id)] == [PANDAS, KAFKA, WHEEL]
    assert shown(workspace, cluster_id)[0] == {
        "library": PANDAS, "status": "PENDING", "messages": [], "is_library_for_all_clusters": False,
    }  # fmt: skip


def test_libraries_are_pending_until_the_cluster_runs(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_stopped()
    install(workspace, cluster_id, PANDAS)
    workspace.advance(3600)
    assert statuses(workspace, cluster_id) == ["PENDING"]
    workspace.post("start", cluster_id)
    workspace.advance(4)
    assert statuses(workspace, cluster_id) == ["INSTALLED"]


def test_a_restart_reinstalls_all_libraries(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running()
    install(workspace, cluster_id, PANDAS)
    workspace.advance(2)
    workspace.post("restart", cluster_id)
    assert statuses(workspace, cluster_id) == ["PENDING"]
    workspace.advance(4)
    assert statuses(workspace, cluster_id) == ["INSTALLED"]


def test_uninstalling_from_a_running_cluster_needs_a_restart(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running()
    install(workspace, cluster_id, PANDAS, WHEEL)
    workspace.advance(2)
    install(workspace, cluster_id, PANDAS, verb="uninstall")
    assert statuses(workspace, cluster_id) == ["UNINSTALL_ON_RESTART", "INSTALLED"]
    workspace.post("restart", cluster_id)
    assert [one["library"] for one in shown(workspace, cluster_id)] == [WHEEL]


def test_reinstalling_before_the_restart_keeps_the_library(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running()
    install(workspace, cluster_id, PANDAS)
    workspace.advance(2)
    install(workspace, cluster_id, PANDAS, verb="uninstall")
    install(workspace, cluster_id, PANDAS)
    workspace.post("restart", cluster_id)
    workspace.advance(4)
    assert statuses(workspace, cluster_id) == ["INSTALLED"]


def test_uninstalling_from_a_stopped_cluster_is_immediate(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_stopped()
    install(workspace, cluster_id, PANDAS, WHEEL)
    install(workspace, cluster_id, PANDAS, KAFKA, verb="uninstall")
    assert [one["library"] for one in shown(workspace, cluster_id)] == [WHEEL]


def test_a_library_uninstalled_during_installation_is_not_installed(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running()
    install(workspace, cluster_id, PANDAS)
    workspace.advance(1)
    install(workspace, cluster_id, PANDAS, verb="uninstall")
    workspace.advance(10)
    assert statuses(workspace, cluster_id) == ["UNINSTALL_ON_RESTART"]


def test_a_library_failure_does_not_affect_others_or_the_next_attempt(workspace: InProcessWorkspace) -> None:
    workspace.emulated.state.libraries.set_failures([LibraryFailure("Pandas*", count=1)])
    cluster_id = workspace.create_running()
    install(workspace, cluster_id, PANDAS, WHEEL)
    workspace.advance(2)
    assert statuses(workspace, cluster_id) == ["FAILED", "INSTALLED"]
    assert shown(workspace, cluster_id)[0]["messages"] == [
        "Library installation failed: Pandas==2.2.2 could not be resolved or downloaded."
    ]
    install(workspace, cluster_id, PANDAS)
    workspace.advance(2)
    assert statuses(workspace, cluster_id) == ["INSTALLED", "INSTALLED"]


def test_a_failed_library_is_uninstalled_at_once(workspace: InProcessWorkspace) -> None:
    workspace.emulated.state.libraries.set_failures([LibraryFailure("*")])
    cluster_id = workspace.create_running()
    install(workspace, cluster_id, PANDAS)
    workspace.advance(2)
    install(workspace, cluster_id, PANDAS, verb="uninstall")
    assert shown(workspace, cluster_id) == []


def test_a_stuck_library_stays_pending_until_a_restart(workspace: InProcessWorkspace) -> None:
    workspace.emulated.state.libraries.set_failures([LibraryFailure("/Shared/*", "stuck", count=1)])
    cluster_id = workspace.create_running()
    install(workspace, cluster_id, PANDAS, WHEEL)
    workspace.advance(600)
    assert statuses(workspace, cluster_id) == ["INSTALLED", "PENDING"]
    workspace.post("restart", cluster_id)
    workspace.advance(4)
    assert statuses(workspace, cluster_id) == ["INSTALLED", "INSTALLED"]


def test_all_statuses_covers_visible_clusters_with_libraries(workspace: InProcessWorkspace) -> None:
    ana = workspace.create_user("ana@lab.example")
    first, second, _ = workspace.create_running(), workspace.create_running(), workspace.create_running()
    for cluster_id in (first, second):
        install(workspace, cluster_id, WHEEL)
    workspace.grant(second, ana, "CAN_ATTACH_TO")

    def clusters(user: Any = None) -> list[str]:
        answer = workspace.call("GET", "/api/2.0/libraries/all-cluster-statuses", user=user)
        return [one["cluster_id"] for one in answer["statuses"]]

    assert (clusters(), clusters(ana)) == ([first, second], [second])


def test_libraries_of_an_unknown_cluster_are_an_error(
    workspace: InProcessWorkspace,
) -> None:
    assert shown(workspace, workspace.create_running()) == []
    for method, path, body in (
        ("GET", "cluster-status?cluster_id=x", None),
        ("POST", "install", {"cluster_id": "x", "libraries": [WHEEL]}),
    ):
        refused = workspace.refusal(method, f"/api/2.0/libraries/{path}", body)
        assert refused == (400, "INVALID_PARAMETER_VALUE", "Cluster x does not exist")


@pytest.mark.parametrize("library", [{}, {"pypi": {}}, {"npm": "x"}, {"whl": "a", "jar": "b"}, "pandas"])
def test_an_invalid_library_is_rejected(workspace: InProcessWorkspace, library: Any) -> None:
    body = {"cluster_id": workspace.create_running(), "libraries": [WHEEL, library]}
    assert workspace.refusal("POST", "/api/2.0/libraries/install", body)[:2] == (400, "INVALID_PARAMETER_VALUE")


def test_installing_needs_can_manage(workspace: InProcessWorkspace) -> None:
    ana, cluster_id = workspace.create_user("ana@lab.example"), workspace.create_running()
    workspace.grant(cluster_id, ana, "CAN_RESTART")
    body = {"cluster_id": cluster_id, "libraries": [WHEEL]}
    for verb in ("install", "uninstall"):
        assert workspace.refusal("POST", f"/api/2.0/libraries/{verb}", body, ana)[:2] == (403, "PERMISSION_DENIED")
    workspace.grant(cluster_id, ana, "CAN_MANAGE")
    install(workspace, cluster_id, WHEEL, user=ana)


def test_libraries_are_deleted_with_their_cluster(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running()
    install(workspace, cluster_id, WHEEL)
    workspace.post("permanent-delete", cluster_id)
    workspace.advance(10)
    assert workspace.emulated.state.libraries.by_cluster == {}


def test_the_sdk_installs_and_reads(emulator: EmulatorProcess) -> None:
    from databricks.sdk.service import compute

    client = emulator.client()
    cluster_id = emulator.request("POST", "/api/2.1/clusters/create", SPEC)[1]["cluster_id"]
    library = compute.Library(pypi=compute.PythonPyPiLibrary(package="pandas", repo="https://pypi.example"))
    client.libraries.install(cluster_id, [library])
    found = [(one.library, one.status) for one in client.libraries.cluster_status(cluster_id)]
    assert found == [(library, compute.LibraryInstallStatus.INSTALLED)]
    assert [one.cluster_id for one in client.libraries.all_cluster_statuses()] == [cluster_id]
    client.libraries.uninstall(cluster_id, [library])
    statuses = [one.status for one in client.libraries.cluster_status(cluster_id)]
    assert statuses == [compute.LibraryInstallStatus.UNINSTALL_ON_RESTART]

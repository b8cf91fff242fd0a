"""Git folders in the emulator, and objects that cannot be exported."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from databricks.sdk.errors import BadRequest, NotFound
from databricks.sdk.service.workspace import (
    ObjectType,
    RepoAccessControlRequest,
    RepoPermissionLevel,
    SparseCheckout,
)

from emulator.state.state import dump_json, load_json
from emulator_process import EmulatorProcess
from in_process_client import InProcessClient

REPOS = "/api/2.0/repos"
URL = "https://github.com/lab/course.git"


def create(lab: InProcessClient, path: str | None = None, caller: Any = None, **fields: Any) -> dict[str, Any]:
    body = {"url": URL, "provider": "gitHub", **({"path": path} if path else {}), **fields}
    status, answer = lab.request("POST", REPOS, body, caller=caller)
    assert status == 200, answer
    made: dict[str, Any] = answer
    return made


def listed(lab: InProcessClient, prefix: str | None = None, caller: Any = None) -> list[str]:
    """Return the paths from all pages."""
    paths, token = [], ""
    while True:
        query = f"?path_prefix={quote(prefix)}" if prefix else "?"
        page = lab.request("GET", f"{REPOS}{query}&next_page_token={token}", caller=caller)[1]
        paths += [repo["path"] for repo in page["repos"]]
        token = page.get("next_page_token", "")
        if not token:
            return paths


def test_a_git_folder_in_the_caller_s_folder_creates_that_folder(lab: InProcessClient) -> None:
    ana, bea = lab.user("ana@lab.example"), lab.user("bea@lab.example")
    made = create(lab, "/Repos/ana@lab.example/course", ana)
    assert (made["path"], listed(lab, caller=ana)) == (
        "/Repos/ana@lab.example/course",
        ["/Repos/ana@lab.example/course"],
    )
    body = {"url": URL, "provider": "gitHub", "path": "/Repos/ana2@lab.example/course"}
    for caller in (ana, bea):
        assert lab.request("POST", REPOS, body, caller=caller)[0] == 404
    refused = lab.request("POST", REPOS, body | {"path": "/Repos/ana@lab.example/other"}, caller=bea)
    assert (refused[0], refused[1]["error_code"]) == (403, "PERMISSION_DENIED")


def test_the_sdk_creates_changes_lists_and_deletes_git_folders(emulator: EmulatorProcess) -> None:
    client = emulator.client()
    made = client.repos.create(URL, "GITHUB", sparse_checkout=SparseCheckout(patterns=["src"]))
    assert made.id is not None
    assert (made.path, made.provider, made.branch) == ("/Repos/admin@lab.example/course", "gitHub", "main")
    [found] = client.repos.list()
    assert (found.as_dict(), client.repos.get(made.id).as_dict()) == (made.as_dict(), made.as_dict())
    client.repos.update(made.id, branch="exam")
    changed = client.repos.get(made.id)
    assert (changed.branch, changed.sparse_checkout) == ("exam", SparseCheckout(patterns=["src"]))
    assert changed.head_commit_id != made.head_commit_id and len(str(changed.head_commit_id)) == 40
    client.repos.update(made.id, tag="v1")
    assert client.repos.get(made.id).branch is None
    [seen] = client.workspace.list("/Repos/admin@lab.example")
    assert (seen.object_type, seen.object_id) == (ObjectType.REPO, made.id)
    emulator.control("POST", "users", {"user_name": "dana@campus.example.ac.il"})
    grant = RepoAccessControlRequest(
        user_name="dana@campus.example.ac.il", permission_level=RepoPermissionLevel.CAN_READ
    )
    given = client.repos.update_permissions(str(made.id), access_control_list=[grant]).access_control_list or []
    assert "dana@campus.example.ac.il" in [entry.user_name for entry in given]
    client.repos.delete(made.id)
    with pytest.raises(NotFound):
        client.repos.get(made.id)
    with pytest.raises(BadRequest, match="provider must be one of gitHub"):
        client.repos.create(URL, "svn")


def test_git_folders_are_listed_in_repos_or_below_a_prefix(lab: InProcessClient) -> None:
    create(lab)
    create(lab, "/Users/admin@lab.example/mine")
    create(lab, "/Workspace/Shared/ours")
    assert listed(lab) == listed(lab, "/") == ["/Repos/admin@lab.example/course"]
    assert listed(lab, "/Workspace") == ["/Workspace/Repos/admin@lab.example/course"]
    assert listed(lab, "/Users/") == ["/Users/admin@lab.example/mine"]
    assert listed(lab, "/Workspace/Shared") == ["/Workspace/Shared/ours"]


def test_git_folders_are_paged(lab: InProcessClient) -> None:
    paths = [f"/Shared/repo{number:02}" for number in range(45)]
    for path in reversed(paths):
        create(lab, path)
    assert listed(lab, "/Shared") == paths


def test_generated_git_folders_can_be_changed_and_deleted() -> None:
    lab = InProcessClient(files="term")
    paths = listed(lab, "/Users")
    assert len(paths) > 20
    status, found = lab.request("GET", f"/api/2.0/workspace/get-status?path={quote(paths[0])}&return_git_info=true")
    assert (status, found["object_type"]) == (200, "REPO")
    repo = lab.request("GET", f"{REPOS}/{found['object_id']}")[1]
    assert found["git_info"] == repo
    assert set(repo) == {"id", "path", "url", "provider", "branch", "head_commit_id"}
    [inside, *_] = lab.request("GET", f"/api/2.0/workspace/list?path={quote(paths[0])}")[1]["objects"]
    below = f"/api/2.0/workspace/get-status?path=/Workspace{quote(inside['path'])}&return_git_info=true"
    assert lab.request("GET", below)[1]["git_info"] == repo | {"path": f"/Workspace{paths[0]}"}

    assert lab.request("PATCH", f"{REPOS}/{repo['id']}", {"branch": "exam"}) == (200, {})
    lab.workspace.state = load_json(dump_json(lab.workspace.state))
    assert lab.request("GET", f"{REPOS}/{repo['id']}")[1]["branch"] == "exam"
    assert listed(lab, "/Users") == paths
    assert lab.request("DELETE", f"{REPOS}/{repo['id']}") == (200, {})
    assert lab.request("GET", f"{REPOS}/{repo['id']}")[0] == 404
    assert listed(lab, "/Users") == paths[1:]


def test_a_student_lists_managed_git_folders_and_reads_shared_ones(lab: InProcessClient) -> None:
    ana, dana = lab.user("ana@lab.example"), lab.user("dana@lab.example")
    mine = create(lab, caller=ana)
    assert mine["path"] == "/Repos/ana@lab.example/course"
    assert listed(lab, caller=ana) == [mine["path"]]
    assert listed(lab, caller=dana) == []
    assert lab.request("GET", f"{REPOS}/{mine['id']}", caller=dana)[0] == 403
    assert lab.request("PATCH", f"{REPOS}/{mine['id']}", {"branch": "x"}, caller=dana)[0] == 403
    assert lab.request("DELETE", f"{REPOS}/{mine['id']}", caller=dana)[0] == 403
    assert lab.request("DELETE", f"{REPOS}/{mine['id']}", caller=ana)[0] == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"provider": "gitHub"}, 400, "INVALID_PARAMETER_VALUE"),
        ({"url": URL}, 400, "INVALID_PARAMETER_VALUE"),
        ({"url": URL, "provider": "gitHub", "path": "/Repos/x"}, 400, "INVALID_PARAMETER_VALUE"),
        ({"url": URL, "provider": "gitHub", "path": "/Repos/none/x"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ({"url": URL, "provider": "gitHub", "path": "/Shared"}, 400, "RESOURCE_ALREADY_EXISTS"),
        ({"url": "/", "provider": "gitHub"}, 400, "INVALID_PARAMETER_VALUE"),
        ({"url": URL, "provider": "gitHub", "sparse_checkout": [1]}, 400, "MALFORMED_REQUEST"),
    ],
)
def test_an_invalid_git_folder_is_rejected(lab: InProcessClient, body: dict[str, Any], status: int, code: str) -> None:
    answered, answer = lab.request("POST", REPOS, body)
    assert (answered, answer["error_code"]) == (status, code)


@pytest.mark.parametrize(
    "body", [{}, {"branch": "a", "tag": "b"}, {"branch": "a", "sparse_checkout": {"patterns": []}}]
)
def test_an_invalid_update_is_rejected(lab: InProcessClient, body: dict[str, Any]) -> None:
    assert lab.request("PATCH", f"{REPOS}/{create(lab)['id']}", body)[0] == 400


@pytest.mark.parametrize("kind", ["LIBRARY", "MLFLOW_EXPERIMENT"])
def test_control_adds_objects_that_cannot_be_exported(emulator: EmulatorProcess, kind: str) -> None:
    emulator.control("POST", "drift", {"kind": "workspace_object", "target": "/Shared/old one", "value": kind})
    client = emulator.client()
    [found] = emulator.request("GET", "/api/2.0/workspace/list?path=/Shared")[1]["objects"]
    assert (found["object_type"], found["path"]) == (kind, "/Shared/old one")
    with pytest.raises(BadRequest, match=f"type {kind} cannot be exported"):
        client.workspace.export("/Shared/old one")
    client.workspace.delete("/Shared/old one")
    assert list(client.workspace.list("/Shared")) == []

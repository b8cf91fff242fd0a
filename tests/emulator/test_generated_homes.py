"""Generated homes in the workspace: lists, reads and changes, through handlers and the real SDK."""

from __future__ import annotations

import io
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from databricks.sdk.service.workspace import ExportFormat, ImportFormat, ObjectType
from hypothesis import given
from hypothesis import strategies as st

from emulator.generated_files.ground_truth import ground_truth
from emulator.server.services import open_workspace, reset
from emulator.state.options import Options
from emulator.state.state import dump_json, load_json
from emulator_process import EmulatorError, EmulatorProcess
from example_counts import exactly_examples
from in_process_client import InProcessClient

pytestmark = pytest.mark.waits

API = {"workspace": ("/api/2.0/workspace", "objects"), "dbfs": ("/api/2.0/dbfs", "files")}
SOURCES = ("dbfs", "workspace")


def entries(lab: InProcessClient, source: str, path: str, caller: Any = None) -> list[dict[str, Any]]:
    """Return the entries in a folder; empty if it does not exist."""
    api, key = API[source]
    status, answer = lab.request("GET", f"{api}/list?path={quote(path)}", caller=caller)
    assert status in (200, 404), answer
    found: list[dict[str, Any]] = answer.get(key, [])
    return found


def is_folder(entry: dict[str, Any]) -> bool:
    return bool(entry.get("is_dir")) or entry.get("object_type") in ("DIRECTORY", "REPO")


def walk(lab: InProcessClient, source: str, path: str) -> Iterator[dict[str, Any]]:
    """Yield all entries below a folder."""
    for entry in entries(lab, source, path):
        yield entry
        if is_folder(entry):
            yield from walk(lab, source, entry["path"])


def read(lab: InProcessClient, source: str, path: str) -> bytes:
    """Read a file's content with as many requests as needed."""
    if source == "dbfs":
        content = b""
        path_to_get = f"/api/2.0/dbfs/read?path={quote(path)}&length={2**20}"
        while (answer := lab.request("GET", f"{path_to_get}&offset={len(content)}")[1])["bytes_read"]:
            content += b64decode(answer["data"])
        return content
    status, answer = lab.request("GET", f"/api/2.0/workspace/export?path={quote(path)}&direct_download=true")
    assert status == 200, answer
    assert isinstance(answer, bytes)
    return answer


def size_and_start(lab: InProcessClient, source: str, entry: dict[str, Any]) -> tuple[int, bytes] | None:
    """Return the size of a file and its first bytes; None for a folder."""
    if is_folder(entry):
        return None
    if source == "workspace":
        content = read(lab, source, entry["path"])
        return len(content), content[:100]
    answer = lab.request("GET", f"/api/2.0/dbfs/read?path={quote(entry['path'])}&length=100")[1]
    return entry["file_size"], b64decode(answer["data"])


def put(lab: InProcessClient, source: str, path: str, data: bytes) -> int:
    content = b64encode(data).decode()
    if source == "dbfs":
        return lab.request("POST", "/api/2.0/dbfs/put", {"path": path, "contents": content, "overwrite": True})[0]
    body = {"path": path, "content": content, "format": "RAW", "overwrite": True}
    return lab.request("POST", "/api/2.0/workspace/import", body)[0]


def home(lab: InProcessClient, source: str, min_files: int = 20) -> str:
    """Return the path of a home with some files and folders."""
    truth = ground_truth(lab.workspace.generated_tree)["users"]
    name = next(
        user["user_name"] for user in truth if user[source]["files"] >= min_files and user[source]["directories"] > 1
    )
    return f"/Users/{name}"


@pytest.fixture(scope="module")
def term() -> InProcessClient:
    """A workspace with the files of the shape `term`, which tests must not change."""
    return InProcessClient(files="term")


def test_listings_add_up_to_the_ground_truth(term: InProcessClient) -> None:
    def counted(source: str, user: str) -> dict[str, int]:
        found = list(walk(term, source, f"/Users/{user}"))
        files = [entry for entry in found if not is_folder(entry)]
        there = term.request("GET", f"{API[source][0]}/get-status?path=/Users/{user}")[0] == 200
        sizes = [entry.get("size", entry.get("file_size")) for entry in files]
        return {
            "files": len(files),
            "directories": len(found) - len(files) + there,
            "size": sum(10_000 if size is None else size for size in sizes),
            "estimated_files": sizes.count(None),
        }

    truth = ground_truth(term.workspace.generated_tree)
    assert len(truth["users"]) == 100
    for user in truth["users"]:
        for source in SOURCES:
            expected = {name: count for name, count in user[source].items() if name != "exact_size"}
            assert counted(source, user["user_name"]) == expected


@pytest.mark.parametrize("source", SOURCES)
def test_the_content_of_a_file_has_the_listed_size(term: InProcessClient, source: str) -> None:
    below = home(term, source)
    exact = 0
    for entry in walk(term, source, below):
        api = API[source][0]
        assert term.request("GET", f"{api}/get-status?path={quote(entry['path'])}") == (200, entry)
        if not is_folder(entry):
            content = read(term, source, entry["path"])
            assert content == read(term, source, entry["path"])
            size = entry.get("size", entry.get("file_size"))
            assert size in (None, len(content))
            exact += len(content)
            if entry.get("object_type") == "NOTEBOOK":
                assert content.split(b"\n")[0].endswith(b" Databricks notebook source")
            if entry.get("object_type") == "DASHBOARD":
                assert json.loads(content)["pages"] == []
    truth = next(
        user for user in ground_truth(term.workspace.generated_tree)["users"] if below.endswith(user["user_name"])
    )
    assert exact == truth[source]["exact_size"]


def test_notebooks_export_in_every_format(term: InProcessClient) -> None:
    entry = next(entry for entry in walk(term, "workspace", "/Users") if entry["object_type"] == "NOTEBOOK")
    for format in ("SOURCE", "JUPYTER", "HTML", "DBC"):
        answer = term.request("GET", f"/api/2.0/workspace/export?path={quote(entry['path'])}&format={format}")
        assert answer[0] == 200, answer


def test_owners_are_in_groups_and_the_administrator_has_an_empty_home(term: InProcessClient) -> None:
    directory = term.workspace.state.directory
    owners = {user["user_name"] for user in ground_truth(term.workspace.generated_tree)["users"]}
    assert {user.user_name for user in directory.users.values()} == owners | {"admin@lab.example"}
    teams = [group for group in directory.groups.values() if group.display_name.startswith("team_")]
    assert (len(teams), sum(len(team.members) for team in teams)) == (30, 100)
    assert {len(team.members) for team in teams} == {3, 4}
    assert entries(term, "workspace", "/Users/admin@lab.example") == []


def test_a_generated_home_is_private(term: InProcessClient) -> None:
    path = home(term, "workspace")
    directory = term.workspace.state.directory
    owner = directory.find_user(path.rpartition("/")[2])
    other = next(user for user in directory.users.values() if user is not owner and user.user_name[0] != "a")
    folder = next(entry["path"] for entry in entries(term, "workspace", path, owner) if is_folder(entry))
    status, answer = term.request("GET", f"/api/2.0/workspace/list?path={quote(folder)}", caller=other)
    assert (status, answer["error_code"]) == (403, "PERMISSION_DENIED")


def test_a_generated_notebook_can_be_shared(term: InProcessClient) -> None:
    lab = InProcessClient(files="users=2,files=300")
    path = home(lab, "workspace")
    notebook = next(entry for entry in walk(lab, "workspace", path) if entry.get("object_type") == "NOTEBOOK")
    other = next(user for user in lab.workspace.generated_tree.users if not path.endswith(user))
    reader = lab.workspace.state.directory.find_user(other)
    path_to_get = f"/api/2.0/workspace/get-status?path={quote(notebook['path'])}"
    assert lab.request("GET", path_to_get, caller=reader)[0] == 403
    grant = {"access_control_list": [{"user_name": other, "permission_level": "CAN_READ"}]}
    permissions = f"/api/2.0/permissions/notebooks/{notebook['object_id']}"
    assert lab.request("PATCH", permissions, grant)[0] == 200
    assert lab.request("GET", path_to_get, caller=reader) == (200, notebook)
    lab.request("POST", "/api/2.0/workspace/delete", {"path": path, "recursive": True})
    assert lab.request("GET", permissions)[0] == 404


@pytest.mark.parametrize("source", SOURCES)
def test_changes_override_generated_files(source: str) -> None:
    lab = InProcessClient(files="users=2,files=300")
    path = home(lab, source, 10)
    truth = ground_truth(lab.workspace.generated_tree)
    before = [entry["path"] for entry in walk(lab, source, path)]
    folder = next(entry["path"] for entry in walk(lab, source, path) if is_folder(entry))
    victim = next(entry["path"] for entry in walk(lab, source, path) if not is_folder(entry) and "/" in entry["path"])
    new = f"{folder}/new folder/ חדש 🎓.bin"
    lab.request("POST", f"{API[source][0]}/mkdirs", {"path": f"{folder}/new folder"})
    assert put(lab, source, new, b"new") == 200
    assert lab.request("POST", f"{API[source][0]}/delete", {"path": victim})[0] == 200
    after = [entry["path"] for entry in walk(lab, source, path)]
    assert sorted(after) == sorted([*(one for one in before if one != victim), f"{folder}/new folder", new])
    assert read(lab, source, new) == b"new"
    lab.workspace.state = load_json(dump_json(lab.workspace.state))
    assert sorted(entry["path"] for entry in walk(lab, source, path)) == sorted(after)
    assert ground_truth(lab.workspace.generated_tree) == truth


steps = st.lists(
    st.tuples(st.sampled_from(["put", "delete", "mkdirs", "move"]), st.integers(0, 10**6), st.integers(0, 10**6)),
    max_size=12,
)


@pytest.mark.parametrize("source", SOURCES)
@given(steps=steps)
@exactly_examples(30)
def test_changes_to_a_generated_home_have_the_same_effect_as_on_a_dict(
    source: str, steps: list[tuple[str, int, int]]
) -> None:
    lab = InProcessClient(files="users=1,files=40")
    top = f"/Users/{lab.workspace.generated_tree.users[0]}"
    model = {entry["path"]: size_and_start(lab, source, entry) for entry in walk(lab, source, top)}
    api = API[source][0]
    for step, first, second in steps:
        folders = [top, *(path for path, content in model.items() if content is None)]
        files = [path for path, content in model.items() if content is not None]
        target = f"{folders[second % len(folders)]}/n{second % 3}"
        match step:
            case "put":
                path = files[first % len(files)] if files and first % 2 else target
                data = f"{first}".encode()
                # A file cannot replace a folder or a notebook.
                if put(lab, source, path, data) == 200:
                    model[path] = (len(data), data)
                else:
                    assert model.get(path, data) is None or source == "workspace"
            case "mkdirs" if target not in model:
                assert lab.request("POST", f"{api}/mkdirs", {"path": target})[0] == 200
                model[target] = None
            case "delete" if model:
                path = list(model)[first % len(model)]
                assert lab.request("POST", f"{api}/delete", {"path": path, "recursive": True})[0] == 200
                model = {one: held for one, held in model.items() if one != path and not one.startswith(path + "/")}
            case "move" if model and source == "dbfs" and target not in model:
                path = list(model)[first % len(model)]
                if f"{target}/".startswith(f"{path}/"):
                    continue
                body = {"source_path": path, "destination_path": target}
                assert lab.request("POST", f"{api}/move", body)[0] == 200
                model = {
                    target + one[len(path) :] if one == path or one.startswith(path + "/") else one: held
                    for one, held in model.items()
                }
    lab.workspace.state = load_json(dump_json(lab.workspace.state))
    assert {entry["path"]: size_and_start(lab, source, entry) for entry in walk(lab, source, top)} == model


def test_a_deleted_generated_home_is_empty_when_it_is_recreated() -> None:
    lab = InProcessClient(files="users=2,files=300")
    path = home(lab, "workspace")
    user = lab.workspace.state.directory.find_user(path.rpartition("/")[2])
    assert user is not None
    lab.request("POST", "/api/2.0/workspace/delete", {"path": path, "recursive": True})
    lab.request("DELETE", f"/api/2.0/preview/scim/v2/Users/{user.id}")
    assert lab.request("GET", f"/api/2.0/workspace/get-status?path={path}")[0] == 404
    lab.user(user.user_name)
    assert lab.request("GET", f"/api/2.0/workspace/list?path={path}") == (200, {})


def test_a_reset_restores_generated_homes() -> None:
    lab = InProcessClient(files="users=2,files=300")
    path = home(lab, "workspace")
    before = list(walk(lab, "workspace", "/Users"))
    lab.request("POST", "/api/2.0/workspace/delete", {"path": path, "recursive": True})
    reset(lab.workspace)
    assert list(walk(lab, "workspace", "/Users")) == before


def test_generated_homes_are_the_same_without_dbfs() -> None:
    with_dbfs, without = InProcessClient(files="term"), InProcessClient(files="term", dbfs=False)
    path = home(with_dbfs, "workspace")
    assert list(walk(without, "workspace", path)) == list(walk(with_dbfs, "workspace", path))
    assert without.request("GET", f"/api/2.0/dbfs/list?path={path}")[0] == 403


def test_ten_million_generated_files_are_not_stored() -> None:
    workspace = open_workspace(Options(seed="7", files="users=100,files=10000000"))
    held = len(workspace.state.objects.nodes) + len(workspace.state.dbfs.entries)
    assert held < 300
    lab = InProcessClient(files="users=100,files=10000000")
    for user in lab.workspace.generated_tree.users[:5]:
        assert entries(lab, "workspace", f"/Users/{user}")
    assert len(lab.workspace.state.objects.nodes) + len(lab.workspace.state.dbfs.entries) == held


def test_the_real_sdk_lists_reads_and_writes_a_generated_home(
    start_emulator: Callable[..., EmulatorProcess], tmp_path: Any
) -> None:
    state = tmp_path / "lab.json"
    emulator = start_emulator("--files", "term", "--seed", 7, "--state", state)
    truth = emulator.control("GET", "files/truth")
    assert truth == ground_truth(InProcessClient(files="term").workspace.generated_tree)
    user = next(one for one in truth["users"] if one["dbfs"]["files"] > 5 and one["workspace"]["directories"] > 6)
    path = f"/Users/{user['user_name']}"
    client = emulator.client()

    in_dbfs = list(client.dbfs.list(path, recursive=True))
    assert sum(file.file_size or 0 for file in in_dbfs) == user["dbfs"]["size"]
    with client.dbfs.open(str(in_dbfs[-1].path), read=True) as file:
        assert len(file.read()) == in_dbfs[-1].file_size
    # The SDK does not list the contents of git folders.
    found = list(client.workspace.list(path, recursive=True))
    repo = next(one for one in found if one.object_type == ObjectType.REPO)
    found += list(client.workspace.list(str(repo.path), recursive=True))
    assert len([one for one in found if one.object_type != ObjectType.REPO]) == user["workspace"]["files"]
    notebook = next(one for one in found if one.object_type == ObjectType.NOTEBOOK)
    with client.workspace.download(str(notebook.path), format=ExportFormat.SOURCE) as file:
        assert file.read().splitlines()[0].endswith(b" Databricks notebook source")

    client.workspace.upload(f"{path}/new.txt", io.BytesIO(b"new"), format=ImportFormat.RAW)
    client.workspace.delete(str(notebook.path))
    emulator.stop()
    again = start_emulator("--state", state)
    assert again.control("GET", "files/truth") == truth
    left = {one.path for one in again.client().workspace.list(path)}
    assert f"{path}/new.txt" in left and notebook.path not in left
    again.stop()
    with pytest.raises(EmulatorError, match="has a workspace with --files term; omit --files"):
        start_emulator("--state", state, "--files", "heavy")


NAMES = ["עברית.txt", "🎓", "a" * 255, "dot.", "Dot.", "DOT.", "con", "a%2Fb", "a?b#c&d=e+f", "=1+1", " lead", "trail "]
NAMES += [" ", "a:b", "a\\b", "<img src=x>", "\u00e9", "e\u0301", "x\ny", "tab\tx", "...", "-rf", "~", '"', "nul\u200b"]


@pytest.mark.parametrize("source", SOURCES)
def test_unusual_names_are_returned_unchanged(source: str) -> None:
    lab = InProcessClient()
    lab.request("POST", f"{API[source][0]}/mkdirs", {"path": "/Shared/names"})
    for name in NAMES:
        assert put(lab, source, f"/Shared/names/{name}", name.encode()) == 200
        assert lab.request("POST", f"{API[source][0]}/mkdirs", {"path": f"/Shared/names/{name}/below"})[0] == 400
    found = {entry["path"]: read(lab, source, entry["path"]) for entry in entries(lab, source, "/Shared/names")}
    assert found == {f"/Shared/names/{name}": name.encode() for name in NAMES}


@pytest.mark.parametrize("name", [".", "..", "a/../b", "nul\0"])
@pytest.mark.parametrize("source", SOURCES)
def test_invalid_names_are_rejected(source: str, name: str) -> None:
    assert put(InProcessClient(), source, f"/Shared/{name}", b"x") == 400


def test_a_dashboard_is_exported_and_imported(emulator: EmulatorProcess) -> None:
    workspace = emulator.client().workspace
    data = json.dumps({"pages": [{"name": "עמוד"}]}).encode()
    workspace.upload("/Shared/a.lvdash.json", io.BytesIO(data), format=ImportFormat.AUTO)
    with workspace.download("/Shared/a.lvdash.json", format=ExportFormat.AUTO) as file:
        assert file.read() == data
    as_json = str(workspace.export("/Shared/a.lvdash.json", format=ExportFormat.AUTO).content)
    workspace.import_("/Shared/b.lvdash.json", content=as_json, format=ImportFormat.AUTO)
    assert [(one.object_type, one.path) for one in workspace.list("/Shared")] == [
        (ObjectType.DASHBOARD, "/Shared/a.lvdash.json"),
        (ObjectType.DASHBOARD, "/Shared/b.lvdash.json"),
    ]
    with workspace.download("/Shared/b.lvdash.json", format=ExportFormat.AUTO) as file:
        assert file.read() == data


def test_exports_are_limited_to_ten_megabytes_but_not_workspace_files() -> None:
    lab, most = InProcessClient(), 10 * 2**20
    export = "/api/2.0/workspace/export?format=AUTO&path=/Shared/most"
    assert put(lab, "workspace", "/Shared/most", bytes(most)) == 200
    assert len(b64decode(lab.request("GET", export)[1]["content"])) == most
    assert put(lab, "workspace", "/Shared/most", bytes(most + 1)) == 400
    raw = "/api/2.0/workspace-files/import-file/Shared/most?overwrite=true"
    assert lab.request("POST", raw, bytes(most + 1))[0] == 200
    for way in (export, f"{export}&direct_download=true"):
        status, answer = lab.request("GET", way)
        assert (status, answer["error_code"]) == (400, "BAD_REQUEST")
    assert lab.request("GET", "/api/2.0/workspace-files/Shared/most") == (200, bytes(most + 1))

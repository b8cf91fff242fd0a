"""Notebooks, files and folders in the emulator: formats, permissions, errors, and any sequence of changes."""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.objects.homes import make_home
from emulator.state import state
from emulator_process import EmulatorProcess
from example_counts import exactly_examples
from in_process_client import InProcessClient

WORKSPACE = "/api/2.0/workspace"
SOURCE = b"# Databricks notebook source\nprint(1)\n\n# COMMAND ----------\n\n# MAGIC %md\n# MAGIC Text"
LIMIT = 10 * 2**20


def put(lab: InProcessClient, path: str, data: bytes = b"x", format: str = "RAW", **fields: Any) -> tuple[int, Any]:
    caller = fields.pop("caller", None)
    body = {"path": path, "content": b64encode(data).decode(), "format": format, **fields}
    return lab.request("POST", f"{WORKSPACE}/import", body, caller=caller)


def mkdirs(lab: InProcessClient, path: str, caller: Any = None) -> tuple[int, Any]:
    return lab.request("POST", f"{WORKSPACE}/mkdirs", {"path": path}, caller=caller)


def delete(lab: InProcessClient, path: str, recursive: bool = False, caller: Any = None) -> tuple[int, Any]:
    return lab.request("POST", f"{WORKSPACE}/delete", {"path": path, "recursive": recursive}, caller=caller)


def status(lab: InProcessClient, path: str, caller: Any = None) -> tuple[int, Any]:
    return lab.request("GET", f"{WORKSPACE}/get-status?path={quote(path)}", caller=caller)


def paths(lab: InProcessClient, path: str, caller: Any = None) -> list[str]:
    code, answer = lab.request("GET", f"{WORKSPACE}/list?path={quote(path)}", caller=caller)
    assert code == 200, answer
    return [each["path"] for each in answer.get("objects", [])]


def export(lab: InProcessClient, path: str, format: str = "SOURCE", direct: bool = True, caller: Any = None) -> Any:
    query = f"path={quote(path)}&format={format}&direct_download={direct}"
    return lab.request("GET", f"{WORKSPACE}/export?{query}", caller=caller)[1]


def test_a_new_workspace_has_the_folders_users_shared_and_repos(lab: InProcessClient) -> None:
    assert paths(lab, "/") == ["/Users", "/Shared", "/Repos"]
    assert paths(lab, "/Users") == ["/Users/admin@lab.example"]
    assert status(lab, "/")[1] == {"object_id": 0, "object_type": "DIRECTORY", "path": "/", "resource_id": "0"}


@pytest.mark.parametrize("prefix", ["", "/Workspace"])
def test_an_object_is_returned_in_the_requested_spelling(lab: InProcessClient, prefix: str) -> None:
    mkdirs(lab, f"{prefix}/Shared/a")
    put(lab, f"{prefix}/Shared/a/f", b"12345")
    found = status(lab, f"{prefix}/Shared/a//f/")[1]
    number, made_at = found["object_id"], found["created_at"]
    assert found == {
        "object_id": number,
        "object_type": "FILE",
        "path": f"{prefix}/Shared/a/f",
        "resource_id": str(number),
        "created_at": made_at,
        "modified_at": made_at,
        "size": 5,
    }
    assert paths(lab, f"{prefix}/Shared/a") == [f"{prefix}/Shared/a/f"]
    assert paths(lab, f"{prefix}/Shared/a/f") == [f"{prefix}/Shared/a/f"]
    other = "/Workspace" if not prefix else ""
    assert status(lab, f"{other}/Shared/a/f")[1] == found | {"path": f"{other}/Shared/a/f"}


def test_an_overwritten_object_keeps_its_id(lab: InProcessClient) -> None:
    first = put(lab, "/Shared/n", b"1", "SOURCE", language="SQL")[1]
    assert put(lab, "/Shared/n", b"2", "SOURCE", language="SQL", overwrite=True) == (200, first)
    assert status(lab, "/Shared/n")[1]["object_id"] == first["object_id"]
    delete(lab, "/Shared/n")
    assert put(lab, "/Shared/n", b"3", "SOURCE", language="SQL")[1] != first


@pytest.mark.parametrize(
    ("answer", "code", "error", "message"),
    [
        (lambda lab: status(lab, "/x"), 404, "RESOURCE_DOES_NOT_EXIST", "Path (/x) doesn't exist."),
        (lambda lab: delete(lab, "/Workspace/x"), 404, "RESOURCE_DOES_NOT_EXIST", "Path (/Workspace/x) doesn't exist."),
        (lambda lab: put(lab, "/foo/x"), 404, "RESOURCE_DOES_NOT_EXIST", "The parent folder (/foo) does not exist."),
        (lambda lab: put(lab, "/Shared/f"), 400, "RESOURCE_ALREADY_EXISTS", "Path (/Shared/f) already exists."),
        (
            lambda lab: put(lab, "/Shared/f/x"),
            400,
            "INVALID_PARAMETER_VALUE",
            "The parent (/Shared/f) is not a folder.",
        ),
        (
            lambda lab: put(lab, "/Shared/f", b"", "SOURCE", language="R", overwrite=True),
            400,
            "INVALID_PARAMETER_VALUE",
            "Cannot overwrite the asset at /Shared/f due to type mismatch (asked: Notebook, actual: File)",
        ),
        (
            lambda lab: mkdirs(lab, "/Shared/f/x"),
            400,
            "RESOURCE_ALREADY_EXISTS",
            "Path (/Shared/f) already exists and is not a folder.",
        ),
        (lambda lab: delete(lab, "/Shared/d"), 400, "DIRECTORY_NOT_EMPTY", "Folder (/Shared/d) is not empty"),
        (lambda lab: delete(lab, "/Users", True), 400, "BAD_REQUEST", "Folder /Users is protected"),
        (lambda lab: delete(lab, "/", True), 400, "BAD_REQUEST", "Folder / is protected"),
        (lambda lab: status(lab, "Shared"), 400, "INVALID_PARAMETER_VALUE", "Path (Shared) doesn't start with '/'"),
        (lambda lab: mkdirs(lab, "/a/../b"), 400, "INVALID_PARAMETER_VALUE", "Path (/a/../b) is not a valid path"),
        (
            lambda lab: put(lab, "/Shared/n", b"", "SOURCE"),
            400,
            "INVALID_PARAMETER_VALUE",
            "Missing required field: language",
        ),
        (
            lambda lab: put(lab, "/Shared/n", SOURCE, ""),
            400,
            "BAD_REQUEST",
            "The zip archive contains no items.",
        ),
        (lambda lab: put(lab, "/Shared/n", b"", "DOC"), 400, "INVALID_PARAMETER_VALUE", "Unknown format: DOC"),
        (lambda lab: put(lab, "/Shared/n", b"", "HTML"), 400, "INVALID_PARAMETER_VALUE", "The HTML holds no notebook"),
        (
            lambda lab: put(lab, "/Shared/big", b"x" * (LIMIT + 1)),
            400,
            "BAD_REQUEST",
            "File size imported is (10485761 bytes), exceeded max size (10485760 bytes)",
        ),
        (
            lambda lab: put(lab, "/Shared/big", b"x" * (LIMIT + 1), "SOURCE", language="R"),
            400,
            "MAX_NOTEBOOK_SIZE_EXCEEDED",
            "Notebook size (10485761 bytes) exceeds 10485760 bytes",
        ),
    ],
)
def test_errors_have_the_platform_s_message(
    lab: InProcessClient, answer: Any, code: int, error: str, message: str
) -> None:
    put(lab, "/Shared/f")
    mkdirs(lab, "/Shared/d/e")
    before = state.dump(lab.workspace.state)["objects"]
    assert answer(lab) == (code, {"error_code": error, "message": message, "details": []})
    assert state.dump(lab.workspace.state)["objects"] == before


@pytest.mark.parametrize(
    ("name", "content", "kind", "stored_name"),
    [
        ("a.py", SOURCE, "NOTEBOOK", "a"),
        ("a.py", b"`" + SOURCE, "NOTEBOOK", "a"),
        ("a.py", b"print(1)\n", "FILE", "a.py"),
        ("a", b"`" + SOURCE, "FILE", "a"),
        ("a.sql", b"-- Databricks notebook source\r\nselect 1", "NOTEBOOK", "a"),
        ("a.txt", SOURCE, "FILE", "a.txt"),
        ("a.scala", b"// Databricks notebook source\n", "NOTEBOOK", "a"),
        ("a.r", b"# Databricks notebook source\n", "NOTEBOOK", "a"),
        ("a.ipynb", b'{"cells":[],"metadata":{}}', "NOTEBOOK", "a"),
        ("a.lvdash.json", b"{}", "DASHBOARD", "a.lvdash.json"),
        ("a", b"", "FILE", "a"),
    ],
)
def test_auto_detects_notebooks_by_extension_and_first_line(
    lab: InProcessClient, name: str, content: bytes, kind: str, stored_name: str
) -> None:
    assert put(lab, f"/Shared/{name}", content, "AUTO")[0] == 200
    assert paths(lab, "/Shared") == [f"/Shared/{stored_name}"]
    assert status(lab, f"/Shared/{stored_name}")[1]["object_type"] == kind
    raw = put(lab, f"/Users/admin@lab.example/{name}", content)
    assert (raw[0], paths(lab, "/Users/admin@lab.example")) == (200, [f"/Users/admin@lab.example/{name}"])


def test_content_without_a_format_is_source_or_an_archive(lab: InProcessClient) -> None:
    put(lab, "/Shared/n", SOURCE, "", language="PYTHON")
    put(lab, "/Shared/copy", export(lab, "/Shared/n", "DBC"), "")
    assert [status(lab, path)[1]["object_type"] for path in paths(lab, "/Shared")] == ["NOTEBOOK"] * 2
    assert export(lab, "/Shared/copy") == export(lab, "/Shared/n")


def test_the_language_r_is_in_lower_case_in_a_jupyter_export(lab: InProcessClient) -> None:
    for number, name in enumerate(("R", "r")):
        document = {"cells": [], "metadata": {"language_info": {"name": name, "version": "4"}}, "nbformat": 4}
        put(lab, f"/Shared/{number}", json.dumps(document).encode(), "JUPYTER")
        expected = document | {"metadata": {"language_info": {"name": "r", "version": "4"}}}
        assert json.loads(export(lab, f"/Shared/{number}", "JUPYTER")) == expected


def test_the_path_to_list_may_be_in_the_body_of_a_get(lab: InProcessClient) -> None:
    mkdirs(lab, "/Shared/a")
    listing = lab.request("GET", f"{WORKSPACE}/list?path=/Shared")
    assert lab.request("GET", f"{WORKSPACE}/list", {"path": "/Shared"}) == listing


@pytest.mark.parametrize("format", ["SOURCE", "JUPYTER", "HTML", "DBC", "R_MARKDOWN"])
def test_a_notebook_is_unchanged_after_export_and_import_in_every_format(lab: InProcessClient, format: str) -> None:
    language = "R" if format == "R_MARKDOWN" else "PYTHON"
    put(lab, "/Shared/n", SOURCE, "SOURCE", language=language)
    content = export(lab, "/Shared/n", format)
    status_, _ = put(lab, "/Shared/m", content, format, **({"language": language} if format == "SOURCE" else {}))
    assert status_ == 200
    assert status(lab, "/Shared/m")[1]["language"] == language
    assert export(lab, "/Shared/m") == SOURCE
    assert export(lab, "/Shared/m", format) == content or format in ("HTML", "DBC")


def test_a_jupyter_import_is_exported_unchanged_or_as_source(lab: InProcessClient) -> None:
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "source": "# Title"},
        {"cell_type": "code", "source": ["a = 1\n", "b = 2"], "outputs": [{"text": "kept"}]},
        {"cell_type": "code", "source": ["%sql\n", "select 1"]},
    ]
    notebook = json.dumps({"cells": cells, "metadata": {"language_info": {"name": "python"}}}).encode()
    put(lab, "/Shared/n", notebook, "JUPYTER")
    assert export(lab, "/Shared/n", "JUPYTER") == export(lab, "/Shared/n", "AUTO") == notebook
    assert export(lab, "/Shared/n") == (
        b"# Databricks notebook source\n# MAGIC %md\n# MAGIC # Title\n\n# COMMAND ----------\n\na = 1\nb = 2"
        b"\n\n# COMMAND ----------\n\n# MAGIC %sql\n# MAGIC select 1"
    )
    put(lab, "/Shared/m", export(lab, "/Shared/n"), "SOURCE", language="PYTHON")
    again = json.loads(export(lab, "/Shared/m", "JUPYTER"))["cells"]
    texts = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in again] == texts


def test_the_export_of_source_imported_without_first_line_has_it(lab: InProcessClient) -> None:
    put(lab, "/Shared/n", b"select 1", "SOURCE", language="SQL")
    assert export(lab, "/Shared/n", direct=False) == {
        "content": b64encode(b"-- Databricks notebook source\nselect 1").decode(),
        "file_type": "sql",
    }


def test_an_archive_of_a_folder_is_imported_as_a_folder(lab: InProcessClient) -> None:
    mkdirs(lab, "/Shared/d/inner/empty")
    put(lab, "/Shared/d/inner/n", SOURCE, "SOURCE", language="PYTHON")
    put(lab, "/Shared/d/f.txt", b"plain")
    archive = export(lab, "/Shared/d", "DBC")
    assert put(lab, "/Shared/e", archive, "DBC")[0] == 200
    assert (paths(lab, "/Shared/e"), paths(lab, "/Shared/e/inner")) == (
        ["/Shared/e/inner"],
        ["/Shared/e/inner/empty", "/Shared/e/inner/n"],
    )
    assert export(lab, "/Shared/e/inner/n") == SOURCE
    assert put(lab, "/Shared/e", archive, "DBC")[1]["error_code"] == "RESOURCE_ALREADY_EXISTS"
    assert put(lab, "/Shared/g", archive, "DBC", overwrite=True)[0] == 400
    with zipfile.ZipFile(io.BytesIO(export(lab, "/Shared/d", "AUTO"))) as zipped:
        assert sorted(zipped.namelist()) == ["f.txt", "inner/n.py"]


def test_multipart_imports_and_raw_reads_can_exceed_the_json_limit(lab: InProcessClient) -> None:
    data = b"\r\n--limit\r\n" + b"\0" * LIMIT
    body = (
        b'--limit\r\nContent-Disposition: form-data; name="path"\r\n\r\n/Shared/big\r\n'
        b'--limit\r\nContent-Disposition: form-data; name="format"\r\n\r\nRAW\r\n'
        b'--limit\r\nContent-Disposition: form-data; name="overwrite"\r\n\r\ntrue\r\n'
        b'--limit\r\nContent-Disposition: form-data; name="content"; filename="x"\r\n\r\n'
    )
    body = body.replace(b"--limit", b"--edge") + data + b"\r\n--edge--\r\n"
    headers = {"content-type": 'multipart/form-data; boundary="edge"'}
    assert lab.request("POST", f"{WORKSPACE}/import", body, headers=headers)[0] == 200
    assert status(lab, "/Shared/big")[1]["size"] == len(data)
    refusal = f"File size imported is ({len(data)} bytes), exceeded max size (10485760 bytes)"
    for direct in (True, False):
        assert export(lab, "/Shared/big", "AUTO", direct=direct)["message"] == refusal
    assert lab.request("GET", "/api/2.0/workspace-files/Shared/big") == (200, data)
    cut = lab.request("POST", f"{WORKSPACE}/import", body[:-20], headers=headers)
    assert (cut[0], cut[1]["error_code"]) == (400, "MALFORMED_REQUEST")


def test_raw_import_and_export_of_files(lab: InProcessClient) -> None:
    url = "/api/2.0/workspace-files"
    assert lab.request("POST", f"{url}/import-file/Shared%2Fd%2Fa.txt", b"one")[0] == 404
    mkdirs(lab, "/Shared/d")
    assert lab.request("POST", f"{url}/import-file/Shared%2Fd%2Fa.txt?overwrite=false", b"one")[0] == 200
    status_, answer = lab.request("POST", f"{url}/import-file/Shared/d/a.txt", b"two")
    assert (status_, answer["message"]) == (409, "File already exists at (/Shared/d/a.txt).")
    assert lab.request("POST", f"{url}/import-file/Shared/d/a.txt?overwrite=true", b"two")[0] == 200
    assert lab.request("GET", f"{url}/Shared/d/a.txt") == (200, b"two")
    lab.request("POST", f"{url}/import-file/Shared/d/n.py", SOURCE)
    assert lab.request("GET", f"{url}/Shared/d/n")[1]["message"] == "Path (/Shared/d/n) is a notebook and not a file."
    again = lab.request("POST", f"{url}/import-file/Shared/d/n.py", SOURCE)
    assert (again[0], again[1]["message"]) == (400, "Path (/Shared/d/n) already exists.")


def test_the_export_info_has_the_stored_format(lab: InProcessClient) -> None:
    put(lab, "/Shared/n", b'{"cells":[]}', "JUPYTER")
    found = lab.request("GET", f"{WORKSPACE}/get-status?path=/Shared/n&return_export_info=true")[1]
    assert (found["repos_export_format"], found["language"]) == ("JUPYTER", "PYTHON")


def test_a_listing_can_omit_old_notebooks(lab: InProcessClient) -> None:
    put(lab, "/Shared/old", b"", "SOURCE", language="R")
    put(lab, "/Shared/f")
    after = status(lab, "/Shared/old")[1]["modified_at"] + 1
    listed = lab.request("GET", f"{WORKSPACE}/list?path=/Shared&notebooks_modified_after={after}")[1]
    assert [each["path"] for each in listed["objects"]] == ["/Shared/f"]


def test_homes_are_private_and_shared_is_open_to_all(lab: InProcessClient) -> None:
    one, two = lab.user("one@lab"), lab.user("two@lab")
    assert put(lab, "/Users/one@lab/f", caller=one)[0] == 200
    assert paths(lab, "/Users", caller=one) == ["/Users/one@lab"]
    assert paths(lab, "/", caller=one) == ["/Users", "/Shared", "/Repos"]
    refused = {
        "error_code": "PERMISSION_DENIED",
        "message": "two@lab does not have View permissions on /Users/one@lab/f. "
        "Please contact the owner or an administrator for access.",
        "details": [],
    }
    assert status(lab, "/Users/one@lab/f", caller=two) == (403, refused)
    assert export(lab, "/Users/one@lab/f", caller=two) == refused
    for answer in (
        lab.request("GET", f"{WORKSPACE}/list?path=/Users/one@lab", caller=two),
        put(lab, "/Users/one@lab/f", overwrite=True, caller=two),
        put(lab, "/Users/one@lab/g", caller=two),
        mkdirs(lab, "/Users/one@lab/d", caller=two),
        delete(lab, "/Users/one@lab/f", caller=two),
        mkdirs(lab, "/mine", caller=two),
        mkdirs(lab, "/Users/three@lab", caller=two),
        delete(lab, "/Users/two@lab", True, caller=two),
    ):
        assert (answer[0], answer[1]["error_code"]) == (403, "PERMISSION_DENIED")
    assert put(lab, "/Shared/f", b"1", caller=one)[0] == 200
    assert put(lab, "/Shared/f", b"2", overwrite=True, caller=two)[0] == 200
    assert delete(lab, "/Shared/f", caller=two)[0] == 200


def test_a_level_on_a_folder_applies_to_its_contents(lab: InProcessClient) -> None:
    staff = lab.user("staff@lab")
    mkdirs(lab, "/lab-x/allowances")
    put(lab, "/lab-x/course.json", b"{}")

    def grant(path: str, level: str) -> None:
        number = status(lab, path)[1]["object_id"]
        acl = {"access_control_list": [{"user_name": "staff@lab", "permission_level": level}]}
        assert lab.request("PUT", f"/api/2.0/permissions/directories/{number}", acl)[0] == 200

    assert "/lab-x" not in paths(lab, "/", caller=staff)
    grant("/lab-x", "CAN_READ")
    assert export(lab, "/lab-x/course.json", caller=staff) == b"{}"
    assert put(lab, "/lab-x/allowances/a", caller=staff)[0] == 403
    assert put(lab, "/lab-x/course.json", overwrite=True, caller=staff)[0] == 403
    grant("/lab-x/allowances", "CAN_EDIT")
    assert put(lab, "/lab-x/allowances/a", caller=staff)[0] == 200
    assert put(lab, "/lab-x/b", caller=staff)[0] == 403
    assert delete(lab, "/lab-x/allowances/a", caller=staff)[0] == 200
    assert "/lab-x" in paths(lab, "/", caller=staff)
    grant("/lab-x", "CAN_RUN")
    lab.request("PUT", f"/api/2.0/permissions/directories/{status(lab, '/lab-x')[1]['object_id']}", {})
    assert export(lab, "/lab-x/course.json", caller=staff)["error_code"] == "PERMISSION_DENIED"


def test_the_creator_of_an_object_gets_can_manage_if_not_inherited(lab: InProcessClient) -> None:
    staff = lab.user("staff@lab")
    mkdirs(lab, "/x")
    folder = status(lab, "/x")[1]["object_id"]
    acl = {"access_control_list": [{"user_name": "staff@lab", "permission_level": "CAN_EDIT"}]}
    lab.request("PUT", f"/api/2.0/permissions/directories/{folder}", acl)
    made = put(lab, "/x/f", caller=staff)[1]["object_id"]
    mine = put(lab, "/Users/staff@lab/f", caller=staff)[1]["object_id"]
    acls = lab.workspace.state.acls.direct
    assert acls[f"/files/{made}"] == {staff.id: ["CAN_MANAGE"]}
    assert f"/files/{mine}" not in acls
    delete(lab, "/x", recursive=True)
    assert f"/files/{made}" not in acls and f"/directories/{folder}" not in acls


def test_a_home_is_kept_and_reused_by_a_recreated_owner(lab: InProcessClient) -> None:
    user = lab.user("s@lab")
    put(lab, "/Users/s@lab/f", caller=user)
    number = status(lab, "/Users/s@lab")[1]["object_id"]
    lab.request("DELETE", f"/api/2.0/preview/scim/v2/Users/{user.id}")
    assert status(lab, "/Users/s@lab/f")[0] == 200
    back = lab.user("s@lab")
    assert back.id != user.id
    assert (status(lab, "/Users/s@lab", caller=back)[1]["object_id"], paths(lab, "/Users/s@lab", caller=back)) == (
        number,
        ["/Users/s@lab/f"],
    )
    make_home(lab.workspace, "s@lab")
    assert lab.workspace.state.acls.direct[f"/directories/{number}"] == {back.id: ["CAN_MANAGE"]}


def test_the_ancestors_of_an_object_end_with_the_root(lab: InProcessClient) -> None:
    mkdirs(lab, "/Shared/d")
    number = put(lab, "/Shared/d/f")[1]["object_id"]
    shared, inner = (status(lab, path)[1]["object_id"] for path in ("/Shared", "/Shared/d"))
    objects = lab.workspace.state.objects
    chain = [f"/directories/{inner}", f"/directories/{shared}", "/directories/0"]
    assert list(objects.ancestors(f"/files/{number}")) == chain
    assert list(objects.ancestors("/clusters/1-2-3")) == list(objects.ancestors(f"/notebooks/{number}")) == []


def test_the_tree_is_equal_after_dump_and_load(lab: InProcessClient) -> None:
    put(lab, "/Shared/bytes", bytes(range(256)))
    again = state.load_json(state.dump_json(lab.workspace.state))
    assert again.objects == lab.workspace.state.objects


NAMES = st.sampled_from(["a", "b", "A", "שלום", "x y", ".hidden"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda names: "/Shared/" + "/".join(names))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("mkdirs"), PATHS),
        st.tuples(st.just("import"), PATHS, st.binary(max_size=4)),
        st.tuples(st.just("overwrite"), PATHS, st.binary(max_size=4)),
        st.tuples(st.just("delete"), PATHS),
        st.tuples(st.just("delete recursively"), PATHS),
    ),
    max_size=20,
)


@exactly_examples(150)
@given(STEPS)
def test_any_sequence_of_changes_has_the_same_effect_as_on_a_dict(steps: list[tuple[Any, ...]]) -> None:
    lab = InProcessClient()
    model: dict[str, bytes | None] = {"/Shared": None}
    for step in steps:
        assert carry_out(lab, step) == (expected(model, step) < 400), (step, model)
    assert tree(lab, "/Shared") == model
    gone = {name for name in lab.workspace.state.acls.direct if name.startswith(("/files", "/directories"))}
    assert {int(name.rpartition("/")[2]) for name in gone} <= lab.workspace.state.objects.nodes.keys()


def carry_out(lab: InProcessClient, step: tuple[Any, ...]) -> bool:
    """Carry out the step; return whether it succeeded."""
    match step:
        case ("mkdirs", path):
            answer = mkdirs(lab, path)
        case ("import", path, data):
            answer = put(lab, path, data)
        case ("overwrite", path, data):
            answer = put(lab, path, data, overwrite=True)
        case ("delete", path):
            answer = delete(lab, path)
        case (_, path):
            answer = delete(lab, path, recursive=True)
    return answer[0] == 200


def expected(model: dict[str, bytes | None], step: tuple[Any, ...]) -> int:
    """Carry out the step in the model (path → content, None for a folder); return 200, or 400 if impossible."""
    action, path = step[0], step[1]
    above = ["/".join(path.split("/")[:depth]) for depth in range(2, len(path.split("/")))]
    below = [each for each in model if each.startswith(path + "/")]
    if action == "mkdirs":
        if any(model.get(each) is not None for each in [*above, path]):
            return 400
        model.update({each: None for each in [*above, path]})
    elif action in ("import", "overwrite"):
        there = path in model
        if any(each not in model or model[each] is not None for each in above):
            return 400
        if there and (action == "import" or model[path] is None):
            return 400
        model[path] = step[2]
    else:
        if path not in model or (below and action == "delete"):
            return 400
        for each in [path, *below]:
            del model[each]
    return 200


def tree(lab: InProcessClient, path: str) -> dict[str, bytes | None]:
    """Return everything at and below the path, by listing and exporting."""
    found: dict[str, bytes | None] = {path: None}
    listed = lab.request("GET", f"{WORKSPACE}/list?path={quote(path)}")[1].get("objects", [])
    for each in listed:
        if each["object_type"] == "DIRECTORY":
            found.update(tree(lab, each["path"]))
        else:
            found[each["path"]] = b64decode(export(lab, each["path"], "AUTO", direct=False)["content"])
    return found


def test_the_sdk_uploads_lists_and_downloads(emulator: EmulatorProcess) -> None:
    from databricks.sdk.errors import BadRequest, ResourceAlreadyExists, ResourceDoesNotExist
    from databricks.sdk.service.workspace import ExportFormat, ImportFormat, Language, ObjectType

    workspace = emulator.client().workspace
    workspace.mkdirs("/Shared/d")
    workspace.upload("/Shared/d/n.py", SOURCE, format=ImportFormat.AUTO)
    workspace.upload("/Shared/d/big", b"x" * (LIMIT + 1), format=ImportFormat.RAW)
    workspace.import_("/Shared/d/q", content=b64encode(b"select 1").decode(), language=Language.SQL)
    listed = {each.path: each for each in workspace.list("/Shared", recursive=True)}
    assert {path: each.object_type for path, each in listed.items()} == {
        "/Shared/d/n": ObjectType.NOTEBOOK,
        "/Shared/d/big": ObjectType.FILE,
        "/Shared/d/q": ObjectType.NOTEBOOK,
    }
    assert (listed["/Shared/d/big"].size, listed["/Shared/d/n"].language) == (LIMIT + 1, Language.PYTHON)
    assert workspace.get_status("/Shared/d/n").object_id == listed["/Shared/d/n"].object_id
    assert workspace.download("/Shared/d/n").read() == SOURCE
    with pytest.raises(BadRequest, match="exceeded max size"):
        workspace.download("/Shared/d/big")
    assert workspace.export("/Shared/d/q", format=ExportFormat.JUPYTER).file_type == "ipynb"
    with pytest.raises(ResourceDoesNotExist):
        workspace.get_status("/Shared/none")
    with pytest.raises(ResourceAlreadyExists):
        workspace.upload("/Shared/d/big", b"", format=ImportFormat.RAW)
    workspace.delete("/Shared/d", recursive=True)
    assert list(workspace.list("/Shared")) == []


def test_odd_entries_are_listed_and_cannot_be_read(lab: InProcessClient) -> None:
    lab.user("one@lab")
    lab.workspace.options.odd_entries = True
    listed = lab.request("GET", f"{WORKSPACE}/list?path=/Users/one@lab")[1]["objects"]
    assert [each["path"].removeprefix("/Users/one@lab/") for each in listed] == [
        "Read / write",
        "half \ud83d",
        "",
        "question",
        "ghost",
    ]
    assert status(lab, "/Users/one@lab/ghost")[0] == 404

"""The emulator's DBFS: limits, error messages, uploads in blocks, disabled DBFS."""

from __future__ import annotations

import io
from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.base.content import EMPTY
from emulator.state import state
from emulator_process import EmulatorProcess
from example_counts import exactly_examples
from in_process_client import InProcessClient

DBFS = "/api/2.0/dbfs"
BLOCK = 2**20


def coded(data: bytes) -> str:
    return b64encode(data).decode()


def post(lab: InProcessClient, action: str, caller: Any = None, **body: Any) -> tuple[int, Any]:
    return lab.request("POST", f"{DBFS}/{action}", body, caller=caller)


def put(lab: InProcessClient, path: str, data: bytes = b"x", overwrite: bool = False) -> tuple[int, Any]:
    return post(lab, "put", path=path, contents=coded(data), overwrite=overwrite)


def read(lab: InProcessClient, path: str, **query: int) -> Any:
    more = "".join(f"&{name}={value}" for name, value in query.items())
    return lab.request("GET", f"{DBFS}/read?path={quote(path)}{more}")[1]


def listed(lab: InProcessClient, path: str) -> list[str]:
    code, answer = lab.request("GET", f"{DBFS}/list?path={quote(path)}")
    assert code == 200, answer
    return [each["path"] for each in answer.get("files", [])]


def test_a_file_path_is_returned_without_its_scheme(lab: InProcessClient) -> None:
    assert put(lab, "dbfs:/Users/x/a.csv", b"12345")[0] == 200
    described = lab.request("GET", f"{DBFS}/get-status?path=dbfs:/Users/x/a.csv")[1]
    assert described | {"modification_time": 0} == {
        "path": "/Users/x/a.csv",
        "is_dir": False,
        "file_size": 5,
        "modification_time": 0,
    }
    assert described["modification_time"] > 0
    assert lab.request("GET", f"{DBFS}/list?path=/Users/x/a.csv")[1] == {"files": [described]}
    assert listed(lab, "/Users") == ["/Users/x"]
    assert "/FileStore" in listed(lab, "/") and listed(lab, "/FileStore") == []


def test_a_read_returns_at_most_a_megabyte(lab: InProcessClient) -> None:
    data = bytes(range(256)) * 4096
    put(lab, "/tmp/f", data)
    assert read(lab, "/tmp/f") == {"bytes_read": BLOCK // 2, "data": coded(data[: BLOCK // 2])}
    assert read(lab, "/tmp/f", offset=BLOCK - 3, length=BLOCK) == {"bytes_read": 3, "data": coded(data[-3:])}
    assert read(lab, "/tmp/f", offset=BLOCK) == {"bytes_read": 0, "data": ""}
    assert read(lab, "/tmp/f", length=BLOCK + 1)["error_code"] == "MAX_READ_SIZE_EXCEEDED"
    assert read(lab, "/tmp/f", offset=-1)["error_code"] == "INVALID_PARAMETER_VALUE"


def test_a_large_file_is_written_in_blocks(lab: InProcessClient) -> None:
    assert put(lab, "/tmp/f", b"x" * (BLOCK + 1))[1]["error_code"] == "MAX_BLOCK_SIZE_EXCEEDED"
    handle = post(lab, "create", path="/tmp/deep/f")[1]["handle"]
    assert lab.request("GET", f"{DBFS}/get-status?path=/tmp/deep/f")[1]["file_size"] == 0
    for block in (b"a" * BLOCK, b"b" * BLOCK, b"c"):
        assert post(lab, "add-block", handle=handle, data=coded(block)) == (200, {})
    too_long = post(lab, "add-block", handle=handle, data=coded(b"x" * (BLOCK + 1)))
    assert too_long[1]["error_code"] == "MAX_BLOCK_SIZE_EXCEEDED"
    lab.workspace.state = state.load_json(state.dump_json(lab.workspace.state))
    assert post(lab, "close", handle=handle) == (200, {})
    assert read(lab, "/tmp/deep/f", offset=2 * BLOCK - 1)["data"] == coded(b"bc")
    assert post(lab, "close", handle=handle)[1]["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_the_path_to_list_may_be_in_the_body_of_a_get(lab: InProcessClient) -> None:
    put(lab, "/tmp/a/f")
    assert lab.request("GET", f"{DBFS}/list", {"path": "/tmp/a"}) == lab.request("GET", f"{DBFS}/list?path=/tmp/a")


def test_a_multipart_put_can_exceed_a_block(lab: InProcessClient) -> None:
    data = b"\r\n" * BLOCK
    body = (
        b'--e\r\nContent-Disposition: form-data; name="path"\r\n\r\n/tmp/f\r\n'
        b'--e\r\nContent-Disposition: form-data; name="overwrite"\r\n\r\ntrue\r\n'
        b'--e\r\nContent-Disposition: form-data; name="contents"; filename="f"\r\n\r\n' + data + b"\r\n--e--\r\n"
    )
    headers = {"content-type": "multipart/form-data; boundary=e"}
    for _ in range(2):
        assert lab.request("POST", f"{DBFS}/put", body, headers=headers) == (200, {})
    assert lab.request("GET", f"{DBFS}/get-status?path=/tmp/f")[1]["file_size"] == len(data)


@pytest.mark.parametrize(
    ("action", "body", "code", "error", "text"),
    [
        ("create", {"path": "/tmp/f"}, 400, "RESOURCE_ALREADY_EXISTS", "A file or directory already exists"),
        ("create", {"path": "/tmp", "overwrite": True}, 400, "RESOURCE_ALREADY_EXISTS", "A file or directory"),
        ("create", {"path": "/tmp/f/x"}, 400, "RESOURCE_ALREADY_EXISTS", "A file or directory"),
        ("put", {"path": "/tmp/f", "contents": ""}, 400, "RESOURCE_ALREADY_EXISTS", "A file or directory"),
        ("put", {"path": "/tmp/g", "contents": "?"}, 400, "MALFORMED_REQUEST", "The data is not base64."),
        (
            "mkdirs",
            {"path": "/tmp/f"},
            400,
            "RESOURCE_ALREADY_EXISTS",
            "Cannot create directory /tmp/f because /tmp/f is an existing file.",
        ),
        (
            "mkdirs",
            {"path": "/tmp/f/x/y"},
            400,
            "RESOURCE_ALREADY_EXISTS",
            "Cannot create directory /tmp/f/x/y because /tmp/f is an existing file.",
        ),
        ("delete", {"path": "/tmp"}, 400, "IO_ERROR", "/tmp: Directory is not empty. Use recursive delete or"),
        ("delete", {"path": "/", "recursive": True}, 403, "PERMISSION_DENIED", "No operations allowed on this path."),
        ("create", {"path": "/Volumes/a/b/c/f"}, 403, "PERMISSION_DENIED", "No operations allowed on this path."),
        ("create", {"path": "tmp/g"}, 400, "INVALID_PARAMETER_VALUE", "Path must be absolute: tmp/g"),
        ("create", {"path": "/tmp/../g"}, 400, "INVALID_PARAMETER_VALUE", "Path is not valid"),
        ("create", {}, 400, "INVALID_PARAMETER_VALUE", "Missing required field: path"),
        ("add-block", {"handle": 99, "data": ""}, 404, "RESOURCE_DOES_NOT_EXIST", "No stream exists with handle 99."),
        (
            "move",
            {"source_path": "/tmp/none", "destination_path": "/tmp/g"},
            404,
            "RESOURCE_DOES_NOT_EXIST",
            "No file or directory exists on path /tmp/none.",
        ),
        ("move", {"source_path": "/tmp", "destination_path": "/tmp/x"}, 400, "INVALID_PARAMETER_VALUE", "Cannot move"),
        ("move", {"source_path": "/tmp", "destination_path": "/user"}, 400, "RESOURCE_ALREADY_EXISTS", "A file or"),
        ("move", {"source_path": "/tmp", "destination_path": "/no/x"}, 404, "RESOURCE_DOES_NOT_EXIST", "No file or"),
    ],
)
def test_errors_have_the_platform_s_message_and_change_nothing(
    lab: InProcessClient, action: str, body: dict[str, Any], code: int, error: str, text: str
) -> None:
    put(lab, "/tmp/f", b"kept")
    before = state.dump(lab.workspace.state)["dbfs"]
    status, answer = post(lab, action, **body)
    assert (status, answer["error_code"]) == (code, error)
    assert answer["message"].startswith(text)
    assert state.dump(lab.workspace.state)["dbfs"] == before


def test_missing_paths_are_404_except_for_delete(lab: InProcessClient) -> None:
    for query in ("get-status", "list", "read"):
        status, answer = lab.request("GET", f"{DBFS}/{query}?path=/none")
        assert (status, answer["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
        assert answer["message"] == "No file or directory exists on path /none."
    assert post(lab, "delete", path="/none") == (200, {})
    assert read(lab, "/tmp")["error_code"] == "INVALID_PARAMETER_VALUE"


def test_a_very_large_folder_is_deleted_in_several_requests(lab: InProcessClient) -> None:
    for number in range(10_005):
        lab.workspace.state.dbfs.write(("tmp", "many", str(number)), EMPTY, 1)
    status, answer = post(lab, "delete", path="/tmp/many", recursive=True)
    assert (status, answer["error_code"]) == (503, "PARTIAL_DELETE")
    assert "has deleted 10000 files" in answer["message"]
    assert post(lab, "delete", path="/tmp/many", recursive=True) == (200, {})
    assert listed(lab, "/tmp") == []


def test_every_user_has_full_access_to_dbfs(lab: InProcessClient) -> None:
    student = lab.user("s@lab")
    put(lab, "/Users/admin@lab.example/f")
    assert post(lab, "delete", caller=student, path="/Users/admin@lab.example", recursive=True) == (200, {})


def test_a_workspace_without_dbfs_rejects_all_requests() -> None:
    lab = InProcessClient(dbfs=False)
    refused = "Public DBFS root is disabled. Access is denied on path: /tmp"
    for query in ("get-status", "list", "read"):
        status, answer = lab.request("GET", f"{DBFS}/{query}?path=/tmp")
        assert (status, answer["error_code"], answer["message"]) == (403, "PERMISSION_DENIED", refused)
    for action in ("put", "create", "mkdirs", "delete"):
        assert post(lab, action, path="/tmp")[1].get("message") == refused
    assert post(lab, "add-block", handle=1, data="")[0] == 403
    assert lab.workspace.state.dbfs.entries.keys() == {0}


NAMES = st.sampled_from(["a", "b", "ת", "x y"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda names: "/tmp/" + "/".join(names))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), PATHS, st.binary(max_size=3)),
        st.tuples(st.just("mkdirs"), PATHS),
        st.tuples(st.just("move"), PATHS, PATHS),
        st.tuples(st.just("delete"), PATHS),
    ),
    max_size=15,
)


@exactly_examples(100)
@given(STEPS)
def test_any_sequence_of_changes_has_the_same_effect_as_on_a_dict(steps: list[tuple[Any, ...]]) -> None:
    lab = InProcessClient()
    model: dict[str, bytes | None] = {"/tmp": None}
    for step in steps:
        match step:
            case ("put", path, data):
                status, _ = put(lab, path, data, overwrite=True)
                done = path not in model or model[path] is not None
                done = done and make_above(model, path)
                if done:
                    model[path] = data
            case ("mkdirs", path):
                status, _ = post(lab, "mkdirs", path=path)
                done = make_above(model, path + "/")
            case ("move", source, target):
                status, _ = post(lab, "move", source_path=source, destination_path=target)
                folder = target.rpartition("/")[0]
                inside = (target + "/").startswith(source + "/")
                done = source in model and target not in model and not inside
                done = done and folder in model and model[folder] is None
                if done:
                    moved = {path: model.pop(path) for path in list(model) if (path + "/").startswith(source + "/")}
                    model.update({target + path[len(source) :]: data for path, data in moved.items()})
            case (_, path):
                status, _ = post(lab, "delete", path=path, recursive=True)
                done = True
                for each in [each for each in model if (each + "/").startswith(path + "/")]:
                    del model[each]
        assert (status == 200) == done, (step, model)
    assert tree(lab, "/tmp") == model


def make_above(model: dict[str, bytes | None], path: str) -> bool:
    """Create the parent folders in the model; return False if one of them is a file."""
    parts = path.split("/")
    above = ["/".join(parts[:depth]) for depth in range(2, len(parts))]
    if any(model.get(each) is not None for each in above):
        return False
    model.update({each: None for each in above})
    return True


def tree(lab: InProcessClient, path: str) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {path: None}
    for each in lab.request("GET", f"{DBFS}/list?path={quote(path)}")[1].get("files", []):
        inner = (
            tree(lab, each["path"]) if each["is_dir"] else {each["path"]: b64decode(read(lab, each["path"])["data"])}
        )
        found.update(inner)
    return found


def test_the_sdk_reads_and_writes(emulator: EmulatorProcess) -> None:
    dbfs = emulator.client().dbfs
    data = bytes(range(256)) * 10_000
    with dbfs.open("/tmp/a/b.bin", write=True, overwrite=True) as file:
        file.write(data)
    dbfs.upload("dbfs:/Users/x/y.txt", io.BytesIO(b"hi"))
    assert dbfs.download("/tmp/a/b.bin").read() == data
    files = {each.path: each.file_size for each in dbfs.list("/", recursive=True)}
    assert files == {"/tmp/a/b.bin": len(data), "/Users/x/y.txt": 2}
    dbfs.move("/Users/x", "/Users/z")
    assert dbfs.exists("/Users/z/y.txt") and not dbfs.exists("/Users/x")
    dbfs.delete("/Users/z", recursive=True)
    assert list(dbfs.list("/Users")) == []

"""Volumes in the emulator: the Files API as used by the real SDK."""

from __future__ import annotations

import io
from typing import Any

import pytest
from databricks.sdk.errors import AlreadyExists, InvalidParameterValue, NotFound

from emulator_process import EmulatorProcess
from in_process_client import InProcessClient

VOLUME = "/Volumes/main/default/lab"
FILES, DIRECTORIES = "/api/2.0/fs/files", "/api/2.0/fs/directories"

TAKEN = "FILES_API_FILE_ALREADY_EXISTS"


def refusal(answer: tuple[int, Any]) -> tuple[int, str, str]:
    """Return status, code, and the reason in the details."""
    status, body = answer
    return status, body["error_code"], body["details"][0]["reason"] if body["details"] else ""


def test_the_sdk_writes_lists_reads_and_deletes_files(emulator: EmulatorProcess) -> None:
    files = emulator.client().files
    names = ["מחברת .txt", "🎓", "a%20b?c#d", "dot.", "Dot."]
    files.create_directory(f"{VOLUME}/a/b")
    for name in names:
        files.upload(f"{VOLUME}/a/{name}", io.BytesIO(name.encode()))
    listed = list(files.list_directory_contents(f"{VOLUME}/a", page_size=2))
    assert [(one.name, one.is_directory, one.file_size) for one in listed] == [
        ("b", True, None),
        *((name, False, len(name.encode())) for name in names),
    ]
    assert [one.path for one in listed][:2] == [f"{VOLUME}/a/b/", f"{VOLUME}/a/{names[0]}"]
    for name in names:
        contents = files.download(f"{VOLUME}/a/{name}").contents
        assert contents is not None and contents.read() == name.encode()
        assert files.get_metadata(f"{VOLUME}/a/{name}").content_length == len(name.encode())
        files.delete(f"{VOLUME}/a/{name}")
    files.delete_directory(f"{VOLUME}/a/b")
    assert list(files.list_directory_contents(f"{VOLUME}/a")) == []
    files.get_directory_metadata(f"{VOLUME}/a")


def test_the_sdk_raises_the_platform_s_errors(emulator: EmulatorProcess) -> None:
    files = emulator.client().files
    files.upload(f"{VOLUME}/f", io.BytesIO(b"1"))
    with pytest.raises(AlreadyExists):
        files.upload(f"{VOLUME}/f", io.BytesIO(b"2"), overwrite=False)
    files.upload(f"{VOLUME}/f", io.BytesIO(b"3"), overwrite=True)
    for missing in (
        lambda: files.download(f"{VOLUME}/none"),
        lambda: files.get_metadata(f"{VOLUME}/none"),
        lambda: files.delete(f"{VOLUME}/none"),
        lambda: list(files.list_directory_contents(f"{VOLUME}/none")),
        lambda: files.get_directory_metadata(f"{VOLUME}/none"),
        lambda: list(files.list_directory_contents("/Volumes/main/default/other")),
    ):
        with pytest.raises(NotFound):
            missing()
    with pytest.raises(InvalidParameterValue, match="Volumes/<catalog>"):
        files.upload("/Volumes/main/f", io.BytesIO(b""))


def test_the_sdk_sends_a_large_file_in_one_request(emulator: EmulatorProcess) -> None:
    data = bytes(51 * 2**20)
    emulator.client().files.upload(f"{VOLUME}/large", io.BytesIO(data))
    assert emulator.client().files.get_metadata(f"{VOLUME}/large").content_length == len(data)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("DELETE", f"{DIRECTORIES}{VOLUME}/a", (400, "INVALID_PARAMETER_VALUE", "FILES_API_DIRECTORY_IS_NOT_EMPTY")),
        ("DELETE", f"{DIRECTORIES}{VOLUME}/none", (404, "NOT_FOUND", "FILES_API_DIRECTORY_IS_NOT_FOUND")),
        ("DELETE", f"{DIRECTORIES}{VOLUME}/a/f", (404, "NOT_FOUND", "FILES_API_DIRECTORY_IS_NOT_FOUND")),
        ("DELETE", f"{DIRECTORIES}{VOLUME}", (400, "INVALID_PARAMETER_VALUE", "")),
        ("GET", f"{FILES}{VOLUME}/a", (404, "NOT_FOUND", "FILES_API_FILE_NOT_FOUND")),
        ("DELETE", f"{FILES}{VOLUME}/a", (404, "NOT_FOUND", "FILES_API_FILE_NOT_FOUND")),
        ("PUT", f"{FILES}{VOLUME}", (400, "INVALID_PARAMETER_VALUE", "")),
        ("PUT", f"{FILES}{VOLUME}/a", (409, "ALREADY_EXISTS", TAKEN)),
        ("PUT", f"{FILES}{VOLUME}/a/f/g?overwrite=true", (409, "ALREADY_EXISTS", TAKEN)),
        ("PUT", f"{DIRECTORIES}{VOLUME}/a/f", (409, "ALREADY_EXISTS", TAKEN)),
        ("PUT", f"{FILES}{VOLUME}/../x", (400, "INVALID_PARAMETER_VALUE", "")),
        ("POST", f"{FILES}{VOLUME}/a/f?action=initiate-upload&overwrite=false", (409, "ALREADY_EXISTS", TAKEN)),
        ("POST", f"{FILES}{VOLUME}/a/f?action=else", (400, "INVALID_PARAMETER_VALUE", "")),
        ("GET", f"{DIRECTORIES}{VOLUME}?page_size=-1", (400, "INVALID_PARAMETER_VALUE", "")),
    ],
)  # fmt: skip
def test_errors_have_a_reason_in_the_details(
    lab: InProcessClient, method: str, path: str, expected: tuple[int, str, str]
) -> None:
    assert lab.request("PUT", f"{FILES}{VOLUME}/a/f", b"12345")[0] == 204
    assert refusal(lab.request(method, path)) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("bytes=0-", (206, b"12345")),
        ("bytes=3-", (206, b"45")),
        ("bytes=1-2", (206, b"23")),
        ("bytes=1-99", (206, b"2345")),
        ("lines=1-2", (200, b"12345")),
    ],
)
def test_a_range_request_returns_the_requested_part(
    lab: InProcessClient, wanted: str, expected: tuple[int, bytes]
) -> None:
    lab.request("PUT", f"{FILES}{VOLUME}/f", b"12345")
    assert lab.request("GET", f"{FILES}{VOLUME}/f", headers={"range": wanted}) == expected


def test_a_range_after_the_end_is_rejected(lab: InProcessClient) -> None:
    lab.request("PUT", f"{FILES}{VOLUME}/f", b"12345")
    assert lab.request("GET", f"{FILES}{VOLUME}/f", headers={"range": "bytes=5-"})[0] == 416

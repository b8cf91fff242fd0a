"""Backups in Azure storage: the access tier, verify and restore."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from azurite import Azurite, AzuriteUnavailable
from emulator_process import EmulatorProcess
from home_files import create_homes, read_homes, write_large_file
from inventory.__main__ import main

USERS = ["u0@x.org", "u1@x.org"]
pytestmark = [pytest.mark.process, pytest.mark.xdist_group("azurite")]


@pytest.fixture(scope="module")
def azurite() -> Iterator[Azurite]:
    try:
        with Azurite() as running:
            yield running
    except AzuriteUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def inventory(azurite: Azurite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Run a command for a workspace in an empty folder; the environment configures the storage."""
    monkeypatch.chdir(tmp_path)

    def run(emulator: EmulatorProcess, verb: str, *arguments: str) -> tuple[int, str, str]:
        (tmp_path / "token").write_text(emulator.admin_token)
        environment = {**os.environ, "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string}
        access = ["--workspace-url", emulator.url, "--token-file", "token"]
        result = CliRunner().invoke(main, [verb, *access, *arguments], obj=environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, result.stderr

    return run


def test_a_backup_in_the_cold_tier_is_verified_and_restored(azurite, emulator, start_emulator, inventory, tmp_path):
    create_homes(emulator, USERS)
    write_large_file(emulator, "workspace", f"/Users/{USERS[0]}/large.bin", 12)

    status, _, stderr = inventory(emulator, "backup", *USERS, "--output", azurite.address, "--tier", "cold")
    assert status == 0, stderr
    blobs = azurite.blobs()
    assert {tier for _, tier in blobs.values()} == {"Cold"}
    (large,) = [size for name, (size, _) in blobs.items() if name.endswith(f"{USERS[0]}/workspace/large.bin")]
    assert large == 12 * 2**20
    assert os.listdir(tmp_path) == ["token"]

    status, output, stderr = inventory(emulator, "verify", azurite.address, "--live", "--json")
    assert (status, json.loads(output)["backups"][0]["findings"]) == (0, []), stderr

    there = start_emulator("--transition-seconds", "0", "--seed", "other")
    assert inventory(there, "restore", azurite.address)[0] == 0
    assert read_homes(there, USERS) == read_homes(emulator, USERS)

    container = azurite.client().get_container_client(azurite.container)
    names = sorted(name for name in blobs if name.endswith(".bin"))
    container.delete_blob(names[0])
    container.upload_blob(names[1], b"something else", overwrite=True)
    container.upload_blob(names[2].replace(".bin", ".txt"), b"more")
    status, output, _ = inventory(emulator, "verify", azurite.address, "--json")
    kinds = sorted(finding["kind"] for finding in json.loads(output)["backups"][0]["findings"])
    assert (status, kinds) == (1, ["added", "corrupt", "missing"])


def test_a_later_backup_in_azure_storage_downloads_only_changes(azurite, emulator, inventory, tmp_path):
    create_homes(emulator, USERS[:1])
    address = f"{azurite.address}/later"
    status, output, stderr = inventory(emulator, "backup", USERS[0], "--output", address, "--json")
    assert status == 0, stderr
    status, output, stderr = inventory(
        emulator, "backup", USERS[0], "--output", address, "--since", json.loads(output)["manifest"], "--json"
    )
    assert (status, json.loads(output)["users"][0]["saved"]) == (0, 0), stderr
    assert inventory(emulator, "verify", address, "--live")[0] == 0
    assert {tier for name, (_, tier) in azurite.blobs().items() if "/later/" in name} == {"Hot"}


def test_a_missing_container_is_reported(azurite, emulator, inventory):
    create_homes(emulator, USERS[:1])
    status, _, stderr = inventory(emulator, "backup", USERS[0], "--output", azurite.address.replace("term@", "none@"))
    assert (status, "Traceback" in stderr) == (2, False)
    assert "No such container" in stderr, stderr

"""cdktf/cloud_main.py as operators run it: synthesis with the optional bindings, and filling the lab's settings."""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

import azurerm_bindings
from lab_settings import load_settings
from labkit.terraform import terraform_program

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("azurerm")]

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "cdktf/cloud_main.py"
URL, KEY = "https://adb-99.9.azuredatabricks.net", "c2VjcmV0+a2V5/w=="
OUTPUTS: Mapping[str, Any] = {
    "workspace_url": URL,
    "workspace_id": "99",
    "state_backend": {"resource_group_name": "rg", "storage_account_name": "account", "container_name": "states"},
    "mail_connection_string": f"endpoint=https://lab.europe.communication.azure.com/;accesskey={KEY}",
    "mail_sender": "DoNotReply@0f.azurecomm.net",
}
MAXIMUM_RATIO = 8.0
"""Processor time of a synthesis, compared with an import of the framework. Usual are 4 to 5; with all modules of the
bindings, it is more than 20.
"""


@pytest.fixture(scope="module")
def packages() -> Path:
    try:
        return azurerm_bindings.install()
    except azurerm_bindings.BindingsUnavailable as error:
        pytest.skip(str(error))


def run(folder: Path, *arguments: str, packages: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder, with the folder's settings."""
    # CDKTF_OUTDIR is the lab's output folder.
    variables = {"LAB_CONFIG": str(folder / "lab.toml"), "CDKTF_OUTDIR": str(folder / "cdktf.out")}
    environment = azurerm_bindings.environment(packages, **variables) if packages else {**os.environ, **variables}
    command = [sys.executable, str(PROGRAM), "--settings", str(folder / "cloud.toml"), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def processor_seconds(act: Callable[[], object]) -> float:
    """Return the processor time of the processes that `act` runs; elapsed time would include other processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    act()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def modes(folder: Path) -> dict[str, str]:
    """Map each path below a folder to its mode."""
    return {str(path.relative_to(folder)): oct(stat.S_IMODE(path.stat().st_mode)) for path in folder.rglob("*")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the example settings of both apps."""
    for name in ("cloud.toml", "lab.toml"):
        shutil.copy(ROOT / name, tmp_path)
        (tmp_path / name).chmod(0o644)
    return tmp_path


def apply_outputs(folder: Path, outputs: Mapping[str, Any]) -> None:
    """Apply a stack that has these outputs and no resources, in the place of the real one."""
    if shutil.which(terraform_program(os.environ)) is None:
        pytest.skip("Terraform is not installed: https://developer.hashicorp.com/terraform/install")
    stack = folder / "cdktf.cloud.out/stacks/cloud-de-lab"
    stack.mkdir(parents=True)
    blocks = {name: {"value": value, "sensitive": "mail_connection" in name} for name, value in outputs.items()}
    document = {"terraform": {"required_version": ">= 1.5"}, **({"output": blocks} if blocks else {})}
    (stack / "cdk.tf.json").write_text(json.dumps(document))
    for arguments in (("init",), ("apply", "-auto-approve")):
        command = [terraform_program(os.environ), f"-chdir={stack}", *arguments, "-input=false"]
        subprocess.run(command, check=True, capture_output=True, timeout=120)


def test_synthesis_writes_its_own_private_folder_and_loads_few_bindings(folder: Path, packages: Path) -> None:
    first = run(folder, packages=packages)  # unpacks the bindings into the framework's cache
    stack = "cdktf.cloud.out/stacks/cloud-de-lab"
    assert (first.returncode, first.stdout, first.stderr) == (0, f"Wrote {stack}/cdk.tf.json\n", "")
    assert modes(folder) == {
        "cloud.toml": "0o644",
        "lab.toml": "0o644",
        "state": "0o700",
        "cdktf.cloud.out": "0o700",
        "cdktf.cloud.out/manifest.json": "0o600",
        "cdktf.cloud.out/stacks": "0o700",
        stack: "0o700",
        f"{stack}/cdk.tf.json": "0o600",
    }
    start = processor_seconds(lambda: subprocess.run([sys.executable, "-c", "import cdktf"], check=True))
    assert processor_seconds(lambda: run(folder, packages=packages)) < MAXIMUM_RATIO * start


def test_without_the_bindings_synthesis_reports_how_to_install_them(folder: Path) -> None:
    command = [sys.executable, "-c", _WITHOUT_BINDINGS, str(folder / "cloud.toml")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "The bindings of the Azure provider are not installed; run `make azure` or `pipenv sync --categories azure` in "
        "the project folder.\n",
    )
    assert sorted(modes(folder)) == ["cloud.toml", "lab.toml"]


_WITHOUT_BINDINGS = f"""
import runpy, sys
sys.path.insert(0, {str(ROOT / "cdktf")!r})
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == {azurerm_bindings.MODULE!r} else found(name, *more)
sys.argv = ["cloud_main.py", "--settings", sys.argv[1]]
runpy.run_path({str(PROGRAM)!r}, run_name="__main__")
"""


def test_a_lab_imports_none_of_the_azure_bindings(packages: Path) -> None:
    program = f"import stack.course, sys; print({azurerm_bindings.MODULE!r} in sys.modules, 'cdktf' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=azurerm_bindings.environment(packages, PYTHONPATH=f"{packages}{os.pathsep}{ROOT}{os.pathsep}{ROOT}/cdktf"),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert done.stdout == "False True\n"


def test_a_dry_run_shows_the_diff_without_secrets_and_writes_nothing(folder: Path) -> None:
    apply_outputs(folder, OUTPUTS)
    before = (folder / "lab.toml").read_bytes()
    done = run(folder, "--write", "--dry-run")
    assert (done.returncode, done.stderr) == (
        0,
        f"Note: Target production uses the profile LAB, whose host must be {URL}.\n",
    )
    assert KEY not in done.stdout
    added = [line for line in done.stdout.splitlines() if line.startswith("+")]
    assert added == [
        f"+++ {folder}/lab.toml",
        f'+expected_host = "{URL}"',
        '+expected_workspace_id = "99"        # either is enough; plan, deploy and destroy stop in any other workspace',
        '+resource_group_name = "rg"',
        '+storage_account_name = "account"',
        '+container_name = "states"',
        "+use_azuread_auth = true",
        f"+++ {folder}/.env",
        f"+DATABRICKS_HOST={URL}",
        "+LAB_EXPECTED_WORKSPACE_ID=99",
        f"+LAB_EXPECTED_HOST={URL}",
        "+AZURE_EMAIL_CONNECTION_STRING=…",
        "+AZURE_EMAIL_SENDER=DoNotReply@0f.azurecomm.net",
    ]
    assert (folder / "lab.toml").read_bytes() == before
    assert not (folder / ".env").exists()


def test_writing_fills_both_files_and_the_secret_is_only_in_the_private_one(folder: Path) -> None:
    apply_outputs(folder, OUTPUTS)
    done = run(folder, "--write")
    assert done.returncode == 0, done.stderr
    target = load_settings(folder / "lab.toml").targets["production"]
    assert (target.expected_host, target.expected_workspace_id) == (URL, "99")
    assert target.backend.model_dump() == {
        "type": "azurerm",
        **OUTPUTS["state_backend"],
        "key": "94290-2026w.tfstate",
        "use_azuread_auth": True,
    }
    variables = dotenv_values(stream=io.StringIO((folder / ".env").read_text()))
    assert variables["AZURE_EMAIL_CONNECTION_STRING"] == OUTPUTS["mail_connection_string"]
    assert (modes(folder)[".env"], modes(folder)["lab.toml"]) == ("0o600", "0o644")
    # The state is Terraform's, which contains the key anyway.
    files = [path for path in folder.rglob("*") if path.is_file() and "cdktf.cloud.out" not in path.parts]
    assert [path.name for path in files if KEY in path.read_text()] == [".env"]
    (folder / ".env").chmod(0o644)
    again = run(folder, "--write")
    assert modes(folder)[".env"] == "0o600"
    assert again.stdout == f"{folder}/lab.toml is up to date.\n{folder}/.env is up to date.\n"


def test_one_written_file_is_a_partial_failure(folder: Path) -> None:
    apply_outputs(folder, OUTPUTS)
    (folder / ".env").symlink_to("/proc/none/.env")
    for status in (1, 2):  # the second time, lab.toml is up to date
        done = run(folder, "--write")
        assert (done.returncode, done.stderr.splitlines()[1:]) == (
            status,
            [f"{folder}/.env cannot be written (No such file or directory)."],
        )
    assert load_settings(folder / "lab.toml").targets["production"].expected_workspace_id == "99"


def test_an_output_folder_that_cannot_be_made_is_one_sentence(folder: Path, packages: Path) -> None:
    done = run(folder, "--output", "/proc/none/out", packages=packages)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "/proc/none cannot be written (No such file or directory); choose another --output or folder.\n"
    )


def test_nothing_is_written_if_one_of_the_files_cannot_be_filled(folder: Path) -> None:
    apply_outputs(folder, OUTPUTS)
    (folder / ".env").write_text("DATABRICKS_HOST=https://old.example\nDATABRICKS_TOKEN=dapi-hush\n")
    before = (folder / "lab.toml").read_bytes()
    done = run(folder, "--write")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"{folder}/.env has DATABRICKS_TOKEN for another workspace than {URL}; remove it, or set DATABRICKS_HOST to "
        "that address if it belongs there, and try again.\n"
    )
    assert (folder / "lab.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--write",),
            "cdktf.cloud.out/stacks/cloud-de-lab does not exist; synthesize and apply the stack first "
            "(docs/azure.md).\n",
        ),
        (
            ("--write", "--target", "moon"),
            "lab.toml has no [targets.moon]; --target must be one of rehearsal, production.\n",
        ),
    ],
)
def test_what_is_missing_is_one_sentence(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    done = run(folder, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_an_unapplied_stack_is_reported(folder: Path) -> None:
    apply_outputs(folder, {})
    done = run(folder, "--write")
    assert (done.returncode, done.stderr) == (2, "The state has no outputs; apply the stack first (docs/azure.md).\n")


def test_invalid_settings_are_one_line_each(folder: Path) -> None:
    path = folder / "cloud.toml"
    text = path.read_text(encoding="utf-8").replace('"westeurope"', '"West Europe"').replace('"LRS"', '"RAGRS"')
    path.write_text(text, encoding="utf-8")
    done = run(folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "cloud.toml: location must be a region such as \"westeurope\", not 'West Europe'.",
        'cloud.toml: storage.replication must be "LRS" (one data centre), "ZRS" (three) or "GRS" (two regions), not '
        "'RAGRS'.",
    ]

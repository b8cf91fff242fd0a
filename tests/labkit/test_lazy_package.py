"""Programs that run often import only the modules they use from large packages; the rest remains available."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.lazy_package import LazyModule

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]

SDK = """
import json, sys
import {module}

before = [name for name in sys.modules if name.startswith("databricks.sdk.service.")]
from databricks.sdk import WorkspaceClient
import databricks.sdk

after = [name for name in sys.modules if name.startswith("databricks.sdk.service.")]
print(json.dumps([len(before) < 8, len(after) > 30, databricks.sdk.WorkspaceClient is WorkspaceClient,
    databricks.sdk.core.ApiClient is sys.modules["{sdk}"].ApiClient]))
"""

BINDINGS = """
import json, sys
from labkit.lazy_package import defer_init

PACKAGE = "cdktf_cdktf_provider_databricks"
defer_init(PACKAGE)
from cdktf_cdktf_provider_databricks.group import Group
before = [name for name in sys.modules if name.startswith(PACKAGE + ".")]
from cdktf_cdktf_provider_databricks import job
import cdktf_cdktf_provider_databricks
policy = cdktf_cdktf_provider_databricks.cluster_policy.ClusterPolicy.__name__
after = [name for name in sys.modules if name.startswith(PACKAGE + ".")]
group = cdktf_cdktf_provider_databricks.group
print(json.dumps([len(before) < 5, job.Job.__name__, policy, len(after) < 10, group.Group is Group]))
"""


def answer_of(program: str, folder: Path) -> object:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("folder", "module", "sdk"),
    [
        (ROOT, "enforcer.workspace.client", "labkit.extras.sdk"),
        (ROOT / "cdktf", "preflight.facts", "labkit.extras.sdk"),
        (ROOT / "cdktf", "stopping.new_clusters", "labkit.extras.sdk"),
    ],
    ids=["poll", "guard", "stop"],
)
def test_only_requested_modules_of_the_sdk_are_imported(folder: Path, module: str, sdk: str) -> None:
    assert answer_of(SDK.format(module=module, sdk=sdk), folder) == [True] * 4


def test_only_requested_modules_of_the_bindings_are_imported() -> None:
    assert answer_of(BINDINGS, ROOT / "cdktf") == [True, "Job", "ClusterPolicy", True, True]


def test_azure_and_google_logins_are_imported_on_use() -> None:
    program = """
import json, sys
from labkit.extras import sdk
heavy = ("cryptography", "asyncio", "databricks.sdk.service.iam", "databricks.sdk.service.provisioning")
before = [name for name in heavy if name in sys.modules]
from databricks.sdk import credentials_provider as provider
used = [provider.azure.add_workspace_id_header.__name__, provider.service_account.Credentials.__name__,
    provider.impersonated_credentials.Credentials.__name__]
print(json.dumps([before, used, [name for name in heavy[:2] if name in sys.modules]]))
"""
    names = ["add_workspace_id_header", "Credentials", "Credentials"]
    assert answer_of(program, ROOT) == [[], names, ["cryptography", "asyncio"]]


def test_a_rejected_query_imports_no_large_package() -> None:
    program = """
import io, json, sys
from enforcer.__main__ import main
sys.stdin = io.StringIO("{}")
try:
    main(["restricted"])
except SystemExit as ended:
    print(json.dumps([ended.code, [name for name in ("requests", "databricks", "http.client") if name in sys.modules]]))
"""
    assert answer_of(program, ROOT) == [2, []]


def test_terraforms_query_to_the_enforcer_needs_no_ledger() -> None:
    program = "import json, sys, enforcer.commands.restricted, enforcer.tick.restricted, enforcer.workspace.client\n"
    program += "print(json.dumps([name for name in ('peewee', 'psycopg', 'pydantic') if name in sys.modules]))"
    assert answer_of(program, ROOT) == []


def test_a_lazy_module_is_imported_on_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    colours = LazyModule("colorsys")
    # pytest looks for this attribute in every object of a test module.
    assert getattr(colours, "_mock_name", None) is None
    assert "colorsys" not in sys.modules
    assert colours.rgb_to_hls(0, 0, 0) == (0, 0, 0)
    missing = "no_such_library"
    with pytest.raises(ModuleNotFoundError, match=missing):
        _ = LazyModule(missing).anything

"""Options, fixtures and hooks for all tests: an isolated home, emulators, ledgers and skips."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import encodable_reports
import process_guard
import worker_groups
from emulator_process import EmulatorProcess, isolated_environment
from enforcer.ledger.database import Ledger, open_ledger
from labkit.lazy_package import defer_init
from labkit.terraform import terraform_program
from ledgers import clear
from postgresql_server import MISSING, PostgreSQL, programs
from preflight import providers
from spark_process import SparkProcess, spark_problem

ROOT = Path(__file__).resolve().parents[1]

# Objects made during collection stay until the end; a garbage collection would only visit them again and again.
gc.disable()
# Most tests need a few modules of the SDK, as the programs do.
defer_init("databricks.sdk")
# A start takes a tenth of the time.
EmulatorProcess.is_forked = True

# On two busy cores single examples can be slow, which is not a failure.
# Derandomized: a run passes or fails by the code, not by its seed. `make acceptance` uses random seeds.
settings.register_profile(
    "test", deadline=None, max_examples=50, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("quick", settings.get_profile("test"), max_examples=5, stateful_step_count=5)
settings.register_profile("acceptance", settings.get_profile("test"), max_examples=2000, derandomize=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--acceptance`: the same tests with larger numbers, and those marked `acceptance`."""
    parser.addoption("--acceptance", action="store_true", help="larger numbers, and the tests marked `acceptance`")


def pytest_configure(config: pytest.Config) -> None:
    """Set the number of Hypothesis examples, and register the plugins."""
    config.pluginmanager.register(process_guard)
    config.pluginmanager.register(worker_groups)
    config.pluginmanager.register(encodable_reports)
    quick = "quick" if config.getoption("markexpr") == process_guard.QUICK else "test"
    settings.load_profile("acceptance" if config.getoption("acceptance") else quick)


@pytest.fixture(scope="session")
def acceptance(pytestconfig: pytest.Config) -> bool:
    """Whether to use the larger numbers of `make acceptance`."""
    return bool(pytestconfig.getoption("acceptance"))


@pytest.fixture(scope="session", autouse=True)
def isolated_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Hide the developer's profiles, tokens and settings from all tests; Terraform's plugins stay available."""
    home = tmp_path_factory.mktemp("home")
    plugins = Path.home() / ".terraform.d"
    if plugins.is_dir():
        (home / ".terraform.d").symlink_to(plugins)
    isolated = isolated_environment(home)
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - set(isolated):
            patch.delenv(name)
        for name, value in isolated.items():
            patch.setenv(name, value)
        # As in our programs: otherwise a sixth of the time of Terraform and its provider is garbage collection.
        patch.setenv("GOGC", "400")
        # The framework's packages are unpacked once for all workers and runs, not once in each home.
        patch.setenv("JSII_RUNTIME_PACKAGE_CACHE_ROOT", str(ROOT / ".lab" / "jsii"))
        yield home


@pytest.fixture
def start_emulator() -> Iterator[Callable[..., EmulatorProcess]]:
    """Start emulators with these arguments, such as `start_emulator("--seed", 7)`; all stop after the test."""
    started: list[EmulatorProcess] = []

    def start(*arguments: object, **options: Any) -> EmulatorProcess:
        emulator = EmulatorProcess([str(argument) for argument in arguments], **options)
        started.append(emulator)
        return emulator.start()

    yield start
    for emulator in started:
        emulator.stop()


@pytest.fixture(scope="session")
def shared_emulator() -> Iterator[EmulatorProcess]:
    """One process for all tests that need only a freshly reset workspace."""
    emulator = EmulatorProcess(["--transition-seconds", "0"])
    yield emulator
    emulator.stop()


@pytest.fixture
def emulator(shared_emulator: EmulatorProcess) -> EmulatorProcess:
    """A new workspace: only its administrator, the clock at `START`, no faults, instant transitions."""
    if not shared_emulator.running:
        shared_emulator.stop()
        return shared_emulator.start()
    shared_emulator.control("POST", "reset")
    return shared_emulator


@pytest.fixture(scope="module")
def frozen_emulator() -> Iterator[EmulatorProcess]:
    """An emulator whose clock only the tests advance; they reset it before use."""
    with EmulatorProcess(["--speed", "0", "--transition-seconds", "0"]) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server for this session."""
    if programs() is None:
        pytest.skip(MISSING)
    with PostgreSQL() as server:
        yield server


@pytest.fixture(scope="session")
def shared_database(postgresql: PostgreSQL) -> str:
    """The URL of a database for ledgers of consecutive tests; creating a database takes half a second."""
    return postgresql.database("shared")


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger to copy, which takes much less time than the migrations of a new one."""
    place = tmp_path_factory.mktemp("empty") / "uptimes.db"
    open_ledger(str(place)).close()
    return place


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.process)])
def ledger_location(request: pytest.FixtureRequest, tmp_path: Path, empty_ledger: Path) -> str:
    """The location of an empty ledger: once a file, once a database."""
    if request.param == "sqlite":
        place = tmp_path / "ledger" / "uptimes.db"
        place.parent.mkdir(mode=0o700)
        return str(shutil.copy(empty_ledger, place))
    url = str(request.getfixturevalue("shared_database"))
    with contextlib.closing(open_ledger(url)) as ledger:
        clear(ledger)
    return url


@pytest.fixture
def ledger(ledger_location: str) -> Iterator[Ledger]:
    """An open, empty ledger: once a file, once a database."""
    with contextlib.closing(open_ledger(ledger_location)) as ledger:
        yield ledger


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.process)])
def module_ledger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger for all tests of a module, which clear it themselves: once a file, once a database."""
    place = str(tmp_path_factory.mktemp("ledger") / "uptimes.db")
    place = place if request.param == "sqlite" else request.getfixturevalue("shared_database")
    with contextlib.closing(open_ledger(place)) as ledger:
        yield ledger


@functools.cache
def provider_problem() -> str:
    """Return why Terraform cannot run with the lab's providers here, as one sentence; empty if it can.

    Checks the sources of `terraform init`: its implied local mirrors, then the registry.
    """
    if shutil.which(terraform_program(os.environ)) is None:
        return "Terraform is not installed: get 1.5 or newer from https://developer.hashicorp.com/terraform/install"
    if not (ROOT / "node_modules/.bin/cdktf").exists():
        return "cdktf-cli is not installed: `make setup` installs it"
    missing = providers.missing_from_mirrors(providers.mirror_folders(Path.home()))
    return providers.missing_providers_error(missing) if missing and not providers.is_registry_reachable() else ""


def pytest_collection_finish() -> None:
    """Exclude objects that stay until the end from garbage collection: modules, tests and syntax trees."""
    gc.freeze()
    gc.set_threshold(50_000)
    gc.enable()


@pytest.hookimpl(trylast=True)  # after -m: deselected tests cause no check of Terraform, Spark or the registry
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests marked `acceptance` without the option; skip tests if Terraform or Spark cannot run here."""
    if not config.getoption("acceptance"):
        left = [item for item in items if item.get_closest_marker("acceptance")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
    for marker, problem_of in (("terraform", provider_problem), ("spark", spark_problem)):
        marked = [item for item in items if item.get_closest_marker(marker)]
        problem = problem_of() if marked else ""
        for item in marked if problem else ():
            item.add_marker(pytest.mark.skip(reason=problem))


@pytest.fixture(scope="session")
def spark_server() -> Iterator[SparkProcess]:
    """One local Spark Connect server for all tests that do not kill it."""
    with SparkProcess() as server:
        yield server


@pytest.fixture(scope="session")
def require_providers() -> None:
    """Skip, with the reason, if the real providers are missing; `pytest.mark.terraform` does the same."""
    if problem := provider_problem():
        pytest.skip(problem)


@pytest.fixture(scope="session")
def example_stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthesized stack of the example course, as a file; needs neither Node.js nor Terraform."""
    folder = tmp_path_factory.mktemp("example")
    shutil.copy(ROOT / "examples/lab.toml", folder)
    (folder / "rosters").mkdir()
    export = ROOT / "examples/Groupself-selection_94290_2026-10-18.csv"
    environment = {**os.environ, "LAB_CONFIG": str(folder / "lab.toml"), "CDKTF_OUTDIR": str(folder / "cdktf.out")}
    for arguments in (("import_roster.py", export, "--out", folder / "rosters/94290-2026w.csv"), ("main.py",)):
        command = [sys.executable, str(ROOT / "cdktf" / arguments[0]), *map(str, arguments[1:])]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=300)
    return folder / "cdktf.out/stacks/94290-2026w-demo/cdk.tf.json"

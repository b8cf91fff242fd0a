"""What every test shares: a home of its own, and an emulator as a real process."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import providers
from emulator_process import EmulatorProcess, isolated_environment

ROOT = Path(__file__).resolve().parents[1]

# Two busy cores make single examples slow at random, which is no finding.
settings.register_profile("test", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("acceptance", settings.get_profile("test"), max_examples=2000)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--acceptance`: the same tests with larger numbers, and those marked `acceptance`."""
    parser.addoption("--acceptance", action="store_true", help="larger numbers, and the tests marked `acceptance`")


def pytest_configure(config: pytest.Config) -> None:
    """How many examples hypothesis tries."""
    settings.load_profile("acceptance" if config.getoption("acceptance") else "test")


@pytest.fixture(scope="session")
def acceptance(pytestconfig: pytest.Config) -> bool:
    """Whether to use the larger numbers of `make acceptance`."""
    return bool(pytestconfig.getoption("acceptance"))


@pytest.fixture(scope="session", autouse=True)
def isolated_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test sees the developer's profiles, tokens or lab settings; Terraform's plugins alone stay reachable."""
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
        yield home


@pytest.fixture
def start_emulator() -> Iterator[Callable[..., EmulatorProcess]]:
    """Start emulators with the arguments given, `start_emulator("--seed", 7)`; all end with the test."""
    started: list[EmulatorProcess] = []

    def start(*arguments: object, log: Path | None = None, port: int = 0) -> EmulatorProcess:
        emulator = EmulatorProcess([str(argument) for argument in arguments], log=log, port=port)
        started.append(emulator)
        return emulator.start()

    yield start
    for emulator in started:
        emulator.stop()


@pytest.fixture(scope="session")
def shared_emulator() -> Iterator[EmulatorProcess]:
    """One process for all tests that are content with a workspace furnished anew."""
    emulator = EmulatorProcess(["--transition-seconds", "0"])
    yield emulator
    emulator.stop()


@pytest.fixture
def emulator(shared_emulator: EmulatorProcess) -> EmulatorProcess:
    """A workspace as new: empty but for its administrator, right time, no faults; transitions take no time."""
    if not shared_emulator.running:
        shared_emulator.stop()
        return shared_emulator.start()
    shared_emulator.control("POST", "reset")
    return shared_emulator


@functools.cache
def provider_problem() -> str:
    """Why Terraform cannot run with the lab's providers here, as one sentence; empty when it can.

    Looks where `terraform init` looks: its implied local mirrors, then the registry.
    """
    if shutil.which("terraform") is None:
        return "Terraform is not installed: get 1.5 or newer from https://developer.hashicorp.com/terraform/install"
    if not (ROOT / "node_modules/.bin/cdktf").exists():
        return "cdktf-cli is not installed: `make setup` gets it where Node.js 20 or newer is"
    missing = providers.not_mirrored(providers.mirror_folders(Path.home()))
    return providers.problem(missing) if missing and not providers.registry_answers() else ""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests marked `acceptance` to `make acceptance`; skip those marked `terraform` where it cannot run."""
    if not config.getoption("acceptance"):
        left = [item for item in items if item.get_closest_marker("acceptance")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
    marked = [item for item in items if item.get_closest_marker("terraform")]
    if marked and (problem := provider_problem()):
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=problem))


@pytest.fixture(scope="session")
def require_providers() -> None:
    """Skip, with the reason, where the real providers are missing; `pytest.mark.terraform` does the same."""
    if problem := provider_problem():
        pytest.skip(problem)

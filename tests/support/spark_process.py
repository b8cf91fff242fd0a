"""A local Spark Connect server as a real process, started with SparkSession.builder.remote("local[2]")."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self

SERVER = """
import json, os, sys
# An ephemeral port; Spark gives one only to tests.
os.environ.update(PYSPARK_PYTHON=sys.executable, SPARK_TESTING="1", SPARK_LOCAL_IP="127.0.0.1")
from pyspark import SparkContext
from pyspark.sql import SparkSession
from pyspark.sql.connect.client import DefaultChannelBuilder

builder = SparkSession.builder.remote("local[2]").config("spark.sql.shuffle.partitions", "1")
builder.config("spark.python.daemon.module", "preloading_daemon")
builder.config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC").getOrCreate()
ready = {
    "port": DefaultChannelBuilder.default_port(),
    "token": os.environ["SPARK_CONNECT_AUTHENTICATE_TOKEN"],
    "pid": SparkContext._gateway.proc.pid,
}
print(json.dumps(ready), flush=True)
sys.stdin.read()
os._exit(0)
"""
DAEMON = """
import pandas, pyarrow
from pyspark.daemon import manager

if __name__ == "__main__":
    manager()
"""
"""Forks Spark's Python workers. Otherwise each worker imports these packages, which takes most of its time."""
KEPT_VARIABLES = ("PATH", "HOME", "JAVA_HOME", "LANG", "TMPDIR")
"""The environment variables that are kept: none of them lets a worker import this project."""


@functools.cache
def spark_problem() -> str:
    """Return why Spark cannot run here, as one sentence; empty if it can."""
    path = search_path()
    if shutil.which("bash", path=path) is None:
        return "bash is not installed: Spark's launcher is written in it"
    java = shutil.which("java", path=f"{os.environ.get('JAVA_HOME', '')}/bin:{path}")
    if java is None:
        return "Java is not installed: Spark needs 17 or newer"
    stderr = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60).stderr
    found = re.search(r'version "(\d+)', stderr)
    return "" if found and int(found[1]) >= 17 else "Java is too old: Spark needs 17 or newer"


def search_path() -> str:
    """Return the PATH with Java and bash: the interpreter's folder, where `make` links a Java runtime, comes first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", ""), os.defpath])


class SparkProcess:
    """The server, with its files in a temporary folder."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="spark-")
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[str] | None = None
        self._ready: dict[str, object] = {}

    @property
    def remote(self) -> str:
        """The value for `--spark-remote`."""
        return f"sc://localhost:{self._ready['port']}/;token={self.token}"

    @property
    def token(self) -> str:
        return str(self._ready["token"])

    @property
    def folder(self) -> Path:
        """The server's working directory."""
        return Path(self._folder.name)

    def kill(self) -> None:
        """Kill the server, a Java process, with SIGKILL."""
        os.kill(int(str(self._ready["pid"])), signal.SIGKILL)

    def __enter__(self) -> Self:
        environment = {name: value for name, value in os.environ.items() if name in KEPT_VARIABLES}
        environment["PATH"] = search_path()
        (self.folder / "preloading_daemon.py").write_text(DAEMON)
        environment["PYTHONPATH"] = str(self.folder)
        self._log = (self.folder / "log").open("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                self._ready = json.loads(line)
                return self
        raise RuntimeError(f"the Spark server did not start:\n{(self.folder / 'log').read_text()[-4000:]}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None and self._log is not None
        self._process.communicate(timeout=60)
        self._log.close()
        self._folder.cleanup()

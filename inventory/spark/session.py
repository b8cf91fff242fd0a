"""Sessions with a Spark server, each with the files that its executors need.

pyspark is imported lazily, only here and in `server`.
"""

import hashlib
import io
import json
import secrets
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from inventory.spark import worker
from inventory.spark.address import ServerAddress
from inventory.spark.errors import CLIENT_VERSION, ServerLabel, SparkError, translate_error
from inventory.spark.local_server import LocalServer
from inventory.spark.worker import TaskSpec
from labkit.files import write_private
from labkit.lazy_package import LazyModule

ROOT = Path(__file__).resolve().parents[2]
connect_client, retries = LazyModule("pyspark.sql.connect.client"), LazyModule("pyspark.sql.connect.client.retries")
connect_session = LazyModule("pyspark.sql.connect.session")
PACKAGES = {"inventory": ("commands", "backup", "restore", "output"), "labkit": ("extras",)}
"""The packages that executors import, and the subfolders that executors do not need."""
PROBE_ROWS = 4096
"""Number of rows in a table that reveals the number of concurrent tasks: the server makes one partition per task."""
ROW_SCHEMA = "line string"


@dataclass(frozen=True)
class ExecutorCredential:
    """The executors' credential for the workspace."""

    host: str
    token: str = field(repr=False)


class SessionOpener(Protocol):
    """Opens sessions with one server."""

    server_label: ServerLabel

    def open(self) -> "ExecutorSession":
        """Open a session. Raises SparkError, or SessionLost if a retry may succeed."""
        ...

    def close(self) -> None:
        """Release the server; no further sessions can be opened."""
        ...


class ExecutorSession:
    """One session, used by many threads. `slots` is the number of concurrent tasks."""

    def __init__(
        self, spark: Any, server: ServerLabel, credential: ExecutorCredential, mounts: str | None, *, owned: bool
    ) -> None:
        self._spark, self.server_label, self._owned = spark, server, owned
        self._mounts = mounts
        self._credential_path: Path | None = None
        self._tag = f"inventory-{secrets.token_hex(8)}"
        self.credential_file = f"{self._tag}.json"
        """Name of the session file with host and token."""
        self.python = ""
        self.mounts: Sequence[str] = ()
        """The file systems whose homes are mounted on an executor."""
        try:
            self._send_files(credential)
            self.slots = self._probe()
        except Exception as error:  # noqa: BLE001 - gRPC, Spark and Java have dozens
            self.close()
            raise translate_error(error, server) from None

    def run_task(self, spec: TaskSpec) -> list[str]:
        """Run a task and return its lines. Raises SparkError or SessionLost."""
        try:
            return self._lines(worker.task_function(spec), rows=1, partitions=1)
        except Exception as error:  # noqa: BLE001
            raise translate_error(error, self.server_label) from None

    def interrupt(self) -> None:
        """Cancel all running tasks."""
        with suppress(Exception):
            self._spark.interruptTag(self._tag)

    def close(self) -> None:
        """Release the session and its files; errors from a lost session are ignored."""
        if self._credential_path:
            self._credential_path.write_text("{}", encoding="utf-8")
        if self._owned:
            with suppress(Exception):
                self._spark.client.set_retry_policies([])
                self._spark.stop()
                # When the client is garbage-collected, it is closed again, in any thread. If this is one of its own
                # threads, all sessions in the process lose these threads (Spark 4.0, SPARK-55362).
                self._spark.client.close = lambda: None

    def create_frame(self, table: Any) -> Any:
        """Return a pandas or Arrow table as a DataFrame."""
        return self._spark.createDataFrame(table)

    def read_table(self, name: str) -> Any:
        """Return a stored table as a DataFrame."""
        return self._spark.table(name)

    def drop_table(self, name: str) -> None:
        """Delete a stored table, if it exists."""
        self._spark.sql(f"DROP TABLE IF EXISTS {name}").collect()

    def _lines(
        self, function: Callable[[Iterator[Any]], Iterator[Any]], *, rows: int, partitions: int | None
    ) -> list[str]:
        self._spark.addTag(self._tag)
        numbers = self._spark.range(0, rows, 1, partitions) if partitions else self._spark.range(rows)
        return [row[0] for row in numbers.mapInArrow(function, ROW_SCHEMA).toLocalIterator()]

    def _send_files(self, credential: ExecutorCredential) -> None:
        folder = Path(tempfile.mkdtemp(prefix="inventory-"))  # mode 0700
        code, secret = folder / module_archive_name(), folder / self.credential_file
        code.write_bytes(module_archive())
        write_private(secret, json.dumps({"host": credential.host, "token": credential.token}), durable=False)
        with preserved_sys_path():
            if not type(self._spark).__module__.startswith("pyspark.sql.connect"):
                # A notebook on a cluster with dedicated access has a classic session. Executors, including ones that
                # join later, fetch files from this folder, so it is kept, and `close` removes only the token.
                self._credential_path = secret
                self._spark.sparkContext.addPyFile(str(code))
                self._spark.sparkContext.addFile(str(secret))
                return
            try:
                self._spark.addArtifacts(str(code), pyfile=True)
                self._spark.addArtifacts(str(secret), file=True)
            finally:
                shutil.rmtree(folder)

    def _probe(self) -> int:
        seen = [
            json.loads(line)
            for line in self._lines(
                worker.probe_function(self._mounts, self.credential_file), rows=PROBE_ROWS, partitions=None
            )
        ]
        self.python, self.mounts = seen[0]["python"], seen[0]["mounts"]
        return len(seen)


class RemoteSessionOpener:
    """Opens sessions with the server at an address. A local server is started, and restarted if it has died."""

    def __init__(self, address: ServerAddress, credential: ExecutorCredential, mounts: str | None = None) -> None:
        self._address, self._credential, self._mounts = address, credential, mounts
        self.server = LocalServer(address.master) if address.master else None
        hidden = (credential.token, *([address.token] if address.token else ()))
        self.server_label = ServerLabel(address.name, hidden)

    def open(self) -> ExecutorSession:
        try:
            spark = self._connect()
        except Exception as error:  # noqa: BLE001
            raise translate_error(error, self.server_label) from None
        return ExecutorSession(spark, self.server_label, self._credential, self._mounts, owned=True)

    def close(self) -> None:
        if self.server:
            self.server.close()

    def _connect(self) -> Any:
        if self.server:
            endpoint = self.server.ensure_running()
            builder = connect_client.DefaultChannelBuilder(f"sc://localhost:{endpoint.port}")
            builder.set("token", endpoint.secret)
        else:
            builder = connect_client.DefaultChannelBuilder(self._address.url)
            if token := self._credential.token if self._address.uses_workspace_token else self._address.token:
                builder.set("token", token)
        spark = connect_session.SparkSession.builder.channelBuilder(builder).create()
        # By default the client retries for ten minutes; the driver handles a lost server itself.
        spark.client.set_retry_policies([retries.DefaultPolicy(max_retries=4, initial_backoff=200, max_backoff=2000)])
        check_version(spark.version, self.server_label)
        return spark


class ExistingSessionOpener:
    """Provides the existing session of a notebook, the only one, which is not closed."""

    def __init__(self, spark: Any, credential: ExecutorCredential, mounts: str | None = None) -> None:
        self._spark, self._credential, self._mounts = spark, credential, mounts
        self.server_label = ServerLabel("the session of this notebook", (credential.token,))

    def open(self) -> ExecutorSession:
        return ExecutorSession(self._spark, self.server_label, self._credential, self._mounts, owned=False)

    def close(self) -> None:
        """Do nothing: the session belongs to the notebook."""


def check_version(version: str, server: ServerLabel) -> None:
    """Raise SparkError if the server is older than the client."""
    numbers = [int(part) for part in version.split(".")[:2] if part.isdigit()]
    if numbers and numbers < [int(part) for part in CLIENT_VERSION.split(".")]:
        raise SparkError(
            f"{server.name} runs Spark {version}, but this client ({CLIENT_VERSION}) needs Spark"
            f" {CLIENT_VERSION} or newer: Databricks Runtime 17 or newer."
        )


def module_archive() -> bytes:
    """Return the executors' modules as a zip file. Equal modules give equal bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for package, left_out in PACKAGES.items():
            for path in sorted((ROOT / package).rglob("*.py")):
                name = path.relative_to(ROOT)
                if name.parts[1] not in left_out:
                    archive.writestr(zipfile.ZipInfo(name.as_posix()), path.read_bytes())
    return content.getvalue()


def module_archive_name() -> str:
    """Return the name of the zip file. It depends on the content, since a session accepts each name only once."""
    return f"inventory-{hashlib.sha256(module_archive()).hexdigest()[:12]}.zip"


@contextmanager
def preserved_sys_path() -> Iterator[None]:
    """Restore sys.path afterwards: the client also adds the files that it sends to this process's sys.path."""
    before = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = before

"""Sessions with a Spark server: opened one after another, each with what its executors need.

pyspark is imported here, when it is needed, and nowhere else but in `server`.
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
"""The packages that executors import, and the folders in them that no executor needs."""
PROBE_ROWS = 4096
"""Rows of the table by which a server shows how many tasks it runs at once: it makes a partition for each of them."""
ROW_SCHEMA = "line string"


@dataclass(frozen=True)
class ExecutorCredential:
    """What executors show the workspace."""

    host: str
    token: str = field(repr=False)


class SessionOpener(Protocol):
    """Opens sessions with one server."""

    server_label: ServerLabel

    def open(self) -> "ExecutorSession":
        """A new session. Raises SparkError, or SessionLost where another attempt may do."""
        ...

    def close(self) -> None:
        """There will be no more sessions."""
        ...


class ExecutorSession:
    """One session, used by many threads. `slots` is how many tasks run at once."""

    def __init__(
        self, spark: Any, server: ServerLabel, credential: ExecutorCredential, mounts: str | None, *, owned: bool
    ) -> None:
        self._spark, self.server_label, self._owned = spark, server, owned
        self._mounts = mounts
        self._credential_path: Path | None = None
        self._tag = f"inventory-{secrets.token_hex(8)}"
        self.credential_file = f"{self._tag}.json"
        """The name of the file of the session that holds host and token."""
        self.python = ""
        self.mounts: Sequence[str] = ()
        """The file systems that an executor has mounted."""
        try:
            self._send_files(credential)
            self.slots = self._probe()
        except Exception as error:  # noqa: BLE001 - gRPC, Spark and Java have dozens
            self.close()
            raise translate_error(error, server) from None

    def run_task(self, spec: TaskSpec) -> list[str]:
        """Have a task done; its lines. Raises SparkError or SessionLost."""
        try:
            return self._lines(worker.task_function(spec), rows=1, partitions=1)
        except Exception as error:  # noqa: BLE001
            raise translate_error(error, self.server_label) from None

    def interrupt(self) -> None:
        """Give up what is in flight."""
        with suppress(Exception):
            self._spark.interruptTag(self._tag)

    def close(self) -> None:
        """Release it, and the files in it; a session that was lost has nothing to release."""
        if self._credential_path:
            self._credential_path.write_text("{}", encoding="utf-8")
        if self._owned:
            with suppress(Exception):
                self._spark.client.set_retry_policies([])
                self._spark.stop()
                # When it is collected, in whatever thread, it closes once more; in one of the client's own that would
                # leave all sessions of the process without those threads (Spark 4.0, SPARK-55362).
                self._spark.client.close = lambda: None

    def create_frame(self, table: Any) -> Any:
        """A table of pandas or Arrow as one of Spark."""
        return self._spark.createDataFrame(table)

    def read_table(self, name: str) -> Any:
        """A table that is stored there."""
        return self._spark.table(name)

    def drop_table(self, name: str) -> None:
        """Delete a stored table, if there is one."""
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
                # A notebook on a cluster with dedicated access has a session of the old kind. Its executors fetch files
                # from here, those that join later too: they stay, and the token is taken out in the end.
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
    """Of a server at an address; one of our own is started, and started again where it has died."""

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
        # Its own patience is ten minutes: we know better what to do about a server that has gone.
        spark.client.set_retry_policies([retries.DefaultPolicy(max_retries=4, initial_backoff=200, max_backoff=2000)])
        check_version(spark.version, self.server_label)
        return spark


class ExistingSessionOpener:
    """Of a session that somebody else has opened, in a notebook; it is left open, and no other can be had."""

    def __init__(self, spark: Any, credential: ExecutorCredential, mounts: str | None = None) -> None:
        self._spark, self._credential, self._mounts = spark, credential, mounts
        self.server_label = ServerLabel("the session of this notebook", (credential.token,))

    def open(self) -> ExecutorSession:
        return ExecutorSession(self._spark, self.server_label, self._credential, self._mounts, owned=False)

    def close(self) -> None:
        """It is not ours."""


def check_version(version: str, server: ServerLabel) -> None:
    """Raises SparkError for a server that is older than the client."""
    numbers = [int(part) for part in version.split(".")[:2] if part.isdigit()]
    if numbers and numbers < [int(part) for part in CLIENT_VERSION.split(".")]:
        raise SparkError(
            f"{server.name} runs Spark {version}, and this client ({CLIENT_VERSION}) needs Spark"
            f" {CLIENT_VERSION} or newer: Databricks Runtime 17 or newer."
        )


def module_archive() -> bytes:
    """What executors import of ours, as a zip file that is the same every time."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for package, left_out in PACKAGES.items():
            for path in sorted((ROOT / package).rglob("*.py")):
                name = path.relative_to(ROOT)
                if name.parts[1] not in left_out:
                    archive.writestr(zipfile.ZipInfo(name.as_posix()), path.read_bytes())
    return content.getvalue()


def module_archive_name() -> str:
    """The name of that file: another content has another, since a session takes each name once."""
    return f"inventory-{hashlib.sha256(module_archive()).hexdigest()[:12]}.zip"


@contextmanager
def preserved_sys_path() -> Iterator[None]:
    """The client puts what it sends onto the module path of this process as well."""
    before = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = before

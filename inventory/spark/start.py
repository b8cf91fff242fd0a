"""Opens the first session of a scan: token, cluster, address, executors."""

import logging
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from typing import Any

from inventory.scan.run import ScanResult, ScanRun
from inventory.scan.visit import ScanProgress
from inventory.spark import clusters, credential
from inventory.spark.address import AddressError, ServerAddress, cluster_address, parse_remote, serverless_address
from inventory.spark.driver import SparkOptions, SparkScan
from inventory.spark.errors import SparkError
from inventory.spark.session import (
    ExecutorCredential,
    ExecutorSession,
    ExistingSessionOpener,
    RemoteSessionOpener,
    SessionOpener,
)
from inventory.transport.client import Client

log = logging.getLogger(__name__)
HOUR_SECONDS = 3600.0


@dataclass(frozen=True)
class Backend:
    """Where folders are listed."""

    remote: str | None = None
    """The URL of a Spark Connect server, or `local[N]` to start one on this machine."""
    cluster_id: str | None = None
    serverless: bool = False
    start_cluster: bool = False
    token_seconds: float = 4 * HOUR_SECONDS
    table: str | None = None
    mounts: str | None = None
    """Directory that contains the mounts; None means to use only the API."""

    @property
    def uses_spark(self) -> bool:
        """Whether executors list the folders."""
        return bool(self.remote or self.cluster_id or self.serverless)


class Executors:
    """A server with an open session, ready for a scan."""

    def __init__(self, opener: SessionOpener, session: ExecutorSession, options: SparkOptions) -> None:
        self._opener, self._first_session, self._options = opener, session, options
        self._scan: SparkScan | None = None

    @property
    def session(self) -> ExecutorSession | None:
        """The open session; None if it was lost and no new one could be opened."""
        return self._scan.session if self._scan else self._first_session

    def scan(self, run: ScanRun, stop: threading.Event, report: Callable[[ScanProgress], None]) -> ScanResult:
        """List the remaining folders on the executors and write the result, as `ScanRun.scan` does without Spark.

        Raises OSError, and the exceptions of `SparkScan.run`.
        """
        self._scan = SparkScan(self._opener, self._first_session, run, self._options, stop)
        complete = self._scan.run(report)
        return run.write_result(self._scan.progress, complete=complete)

    def close(self) -> None:
        """Close the session."""
        if self.session:
            self.session.close()


@contextmanager
def open_executors(
    client: Client, backend: Backend, options: SparkOptions, *, stop: threading.Event, in_databricks: bool
) -> Iterator[Executors]:
    """Provide executors on the selected server. Raises SparkError, SessionLost.

    `in_databricks` means that the program runs in Databricks and uses its own token. Otherwise a token is created, and
    revoked at the end.
    """
    address = _server_address(client.host, backend)
    if backend.cluster_id:
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        clusters.ensure_running(client, backend.cluster_id, start=backend.start_cluster, python=python, stop=stop)
    token_context: AbstractContextManager[ExecutorCredential]
    token_context = (
        credential.ambient_token(client) if in_databricks else credential.temporary_token(client, backend.token_seconds)
    )
    with token_context as token, closing(RemoteSessionOpener(address, token, options.mounts)) as opener:
        log.info("opening a session with %s", address.name)
        yield from _open_first_session(opener, options)


@contextmanager
def executors_of_session(spark: Any, token: ExecutorCredential, options: SparkOptions) -> Iterator[Executors]:
    """Provide executors in an existing session, which stays open. Raises SparkError, SessionLost."""
    with closing(ExistingSessionOpener(spark, token, options.mounts)) as opener:
        yield from _open_first_session(opener, options)


def _open_first_session(opener: SessionOpener, options: SparkOptions) -> Iterator[Executors]:
    with closing(Executors(opener, opener.open(), options)) as found:
        session = found.session
        assert session is not None
        log.info("%s runs %d tasks at once, with Python %s", opener.server_label.name, session.slots, session.python)
        if options.mounts and not session.mounts:
            log.warning("the executors have no mounts at %s; using the API only", options.mounts)
        yield found


def _server_address(host: str, backend: Backend) -> ServerAddress:
    try:
        if backend.cluster_id:
            return cluster_address(host, backend.cluster_id)
        return serverless_address(host, str(uuid.uuid4())) if backend.serverless else parse_remote(backend.remote or "")
    except AddressError as error:
        raise SparkError(str(error)) from None

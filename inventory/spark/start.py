"""From what was asked for to a first session with a server: the token, the cluster, the address, the executors."""

import logging
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from typing import Any

from inventory.scan.run import Outcome, Run
from inventory.scan.visit import Progress
from inventory.spark import clusters, credential
from inventory.spark.address import Address, AddressError, cluster, remote, serverless
from inventory.spark.driver import Manner, SparkScan
from inventory.spark.errors import SparkError
from inventory.spark.session import Credential, GivenOpener, Opener, RemoteOpener, Session
from inventory.transport.client import Client

log = logging.getLogger(__name__)
HOUR = 3600.0


@dataclass(frozen=True)
class Where:
    """What was asked for."""

    remote: str | None = None
    """The address of a Spark Connect server, or `local[N]` for one of our own."""
    cluster_id: str | None = None
    serverless: bool = False
    start_cluster: bool = False
    token_seconds: float = 4 * HOUR
    table: str | None = None
    mounts: str | None = None
    """The folder in which the mounts lie; None: the API is asked."""

    @property
    def spark(self) -> bool:
        """Whether executors do the work."""
        return bool(self.remote or self.cluster_id or self.serverless)


class Executors:
    """A server with a session, ready for a scan."""

    def __init__(self, opener: Opener, session: Session, manner: Manner) -> None:
        self._opener, self._first, self._manner = opener, session, manner
        self._scan: SparkScan | None = None

    @property
    def session(self) -> Session | None:
        """The one that is open now; None if it was lost and no other could be had."""
        return self._scan.session if self._scan else self._first

    def scan(self, run: Run, stop: threading.Event, report: Callable[[Progress], None]) -> Outcome:
        """Have the executors list what remains of a scan, and write its results, as `Run.scan` does without Spark.

        Raises OSError, and what `SparkScan.run` raises.
        """
        self._scan = SparkScan(self._opener, self._first, run, self._manner, stop)
        complete = self._scan.run(report)
        return run.finish(self._scan.progress, complete=complete)

    def close(self) -> None:
        """Release the session."""
        if self.session:
            self.session.close()


@contextmanager
def executors(
    client: Client, where: Where, manner: Manner, *, stop: threading.Event, inside: bool
) -> Iterator[Executors]:
    """Those of the server that was asked for. Raises SparkError, SessionLost.

    `inside`: the program runs in Databricks, which has given it a token; otherwise one is made, and revoked at the end.
    """
    address = _address(client.host, where)
    if where.cluster_id:
        here = f"{sys.version_info.major}.{sys.version_info.minor}"
        clusters.ready(client, where.cluster_id, start=where.start_cluster, python=here, stop=stop)
    made: AbstractContextManager[Credential]
    made = credential.ambient(client) if inside else credential.made_for_run(client, where.token_seconds)
    with made as token, closing(RemoteOpener(address, token, manner.mounts)) as opener:
        log.info("opening a session with %s", address.name)
        yield from _opened(opener, manner)


@contextmanager
def given(spark: Any, token: Credential, manner: Manner) -> Iterator[Executors]:
    """Those of a session that is open already, and stays open. Raises SparkError, SessionLost."""
    with closing(GivenOpener(spark, token, manner.mounts)) as opener:
        yield from _opened(opener, manner)


def _opened(opener: Opener, manner: Manner) -> Iterator[Executors]:
    with closing(Executors(opener, opener.open(), manner)) as found:
        session = found.session
        assert session is not None
        log.info("%s runs %d tasks at once, with Python %s", opener.place.name, session.slots, session.python)
        if manner.mounts and not session.mounts:
            log.warning("the executors have no mounts at %s; the API is asked for everything", manner.mounts)
        yield found


def _address(host: str, where: Where) -> Address:
    try:
        if where.cluster_id:
            return cluster(host, where.cluster_id)
        return serverless(host, str(uuid.uuid4())) if where.serverless else remote(where.remote or "")
    except AddressError as error:
        raise SparkError(str(error)) from None

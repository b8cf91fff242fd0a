"""From what was asked for to a first session with a server: the token, the cluster, the address, the executors."""

import logging
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TYPE_CHECKING, Any

from inventory.scan.listing import SOURCES, Folder, Walk
from inventory.scan.scan_work import Progress, Visit
from inventory.spark import clusters, credential
from inventory.spark.address import Address, AddressError, cluster, remote, serverless
from inventory.spark.driver import Manner, SparkScan
from inventory.spark.errors import SparkError
from inventory.spark.session import Credential, GivenOpener, Opener, RemoteOpener, Session
from inventory.transport.client import Client

if TYPE_CHECKING:
    from inventory.commands.backend import Where

log = logging.getLogger(__name__)
Locally = Callable[[Walk, Progress, Callable[[Progress], None]], bool]


class Executors:
    """A server with a session, ready for a scan."""

    def __init__(self, opener: Opener, session: Session, manner: Manner) -> None:
        self._opener, self._first, self._manner = opener, session, manner
        self._scan: SparkScan | None = None

    @property
    def session(self) -> Session | None:
        """The one that is open now; None if it was lost and no other could be had."""
        return self._scan.session if self._scan else self._first

    def scan(
        self,
        walk: Walk,
        keep: Callable[[Sequence[Visit]], None],
        roots: Sequence[Folder],
        *,
        stop: threading.Event,
        locally: Locally,
    ) -> SparkScan:
        """One run over what remains; `locally` does it where Spark cannot be had any more."""
        there = {root.source for root in roots}
        self._scan = SparkScan(
            self._opener,
            self._first,
            walk,
            keep,
            [source for source in SOURCES if source in there],
            {root.place for root in roots},
            self._manner,
            stop,
            locally,
        )
        return self._scan

    def close(self) -> None:
        """Release the session."""
        if self.session:
            self.session.close()


@contextmanager
def executors(
    client: Client, where: "Where", manner: Manner, *, stop: threading.Event, inside: bool
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


def _address(host: str, where: "Where") -> Address:
    try:
        if where.cluster_id:
            return cluster(host, where.cluster_id)
        return serverless(host, str(uuid.uuid4())) if where.serverless else remote(where.remote or "")
    except AddressError as error:
        raise SparkError(str(error)) from None

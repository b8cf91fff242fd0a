"""The executors' token: created for one run with a short lifetime, and revoked at its end."""

import logging
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from inventory.spark.errors import SparkError
from inventory.spark.session import ExecutorCredential
from inventory.transport.client import Client
from inventory.transport.request_body import json_body
from inventory.transport.response import Response, TransportError
from inventory.transport.workspace import WorkspaceApi, WorkspaceError

log = logging.getLogger(__name__)
MAX_TRIES = 4


@contextmanager
def temporary_token(client: Client, seconds: float) -> Iterator[ExecutorCredential]:
    """Provide a token with this maximum lifetime, which is revoked at the end of the `with`. Raises SparkError."""
    # The comment identifies the token even if the response to its creation is lost.
    comment = f"inventory scan {secrets.token_hex(8)}"
    try:
        response = _post(client, "create", {"comment": comment, "lifetime_seconds": int(seconds)})
    except TransportError as error:
        _revoke(client, comment)
        raise SparkError(f"no token could be created for the executors: {error}.") from None
    if not response.ok or not isinstance(response.document, Mapping):
        raise SparkError(
            f"no token could be created for the executors: {response.reason.rstrip('.')}. Ask an administrator for the"
            " permission to use tokens, or scan without Spark."
        )
    try:
        yield ExecutorCredential(client.host, str(response.document["token_value"]))
    finally:
        _revoke(client, comment)


@contextmanager
def ambient_token(client: Client) -> Iterator[ExecutorCredential]:
    """Provide this program's own token, as in a Databricks notebook. Raises SparkError if it has none."""
    scheme, _, token = client.auth_headers().get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise SparkError("there is no token for the executors; select a workspace and a profile.")
    yield ExecutorCredential(client.host, token)


def _revoke(client: Client, comment: str) -> None:
    try:
        found: Any = (
            WorkspaceApi(client).get_document("/api/2.0/token/list", {}, "the list of tokens").get("token_infos")
        )
        for token in found or []:
            if token.get("comment") == comment:
                response = _post(client, "delete", {"token_id": token["token_id"]})
                if not response.ok:
                    raise WorkspaceError(response.reason)
    except (WorkspaceError, TransportError) as error:
        log.warning(
            "the executors' token was not revoked (%s): delete %r in your settings, or let it expire",
            str(error).rstrip("."),
            comment,
        )


def _post(client: Client, verb: str, body: Mapping[str, object]) -> Response:
    """Send a POST request, with retries if there is no response or the server is busy. Raises TransportError."""
    for tries in range(1, MAX_TRIES + 1):
        try:
            response = client.send("POST", f"/api/2.0/token/{verb}", json_body(body))
            if response.status not in (429, 500, 502, 503, 504) or tries == MAX_TRIES:
                return response
        except TransportError:
            if tries == MAX_TRIES:
                raise
        time.sleep(0.5 * tries)
    raise AssertionError("the last attempt returns or raises")

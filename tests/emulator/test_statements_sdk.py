"""Statements over HTTP: requests that wait for a warehouse, and the real SDK's warehouses, statements and history."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from databricks.sdk.errors import NotFound
from databricks.sdk.service.sql import (
    ExecuteStatementRequestOnWaitTimeout,
    QueryFilter,
    State,
    StatementParameterListItem,
    StatementState,
)

from emulator_process import EmulatorProcess

pytestmark = pytest.mark.process

STATEMENTS = "/api/2.0/sql/statements"


@pytest.fixture
def emulator(start_emulator: Any) -> EmulatorProcess:
    started: EmulatorProcess = start_emulator("--transition-seconds", 0.5, "--unity-catalog", "auto")
    return started


def starter(emulator: EmulatorProcess) -> str:
    return str(emulator.request("GET", "/api/2.0/sql/warehouses")[1]["warehouses"][0]["id"])


def test_a_request_waits_until_its_warehouse_runs(emulator: EmulatorProcess) -> None:
    body = {"warehouse_id": starter(emulator), "statement": "SELECT 1", "on_wait_timeout": "CANCEL"}
    seen: list[float] = []

    def ask_others() -> None:
        began = time.monotonic()
        emulator.request("GET", "/api/2.0/preview/scim/v2/Me")
        seen.append(time.monotonic() - began)

    other = threading.Timer(0.1, ask_others)
    other.start()
    began = time.monotonic()
    status, answer = emulator.request("POST", STATEMENTS, body)
    waited = time.monotonic() - began
    other.join()
    assert (status, answer["status"], answer["result"]["data_array"]) == (200, {"state": "SUCCEEDED"}, [["1"]])
    assert 0.4 < waited < 4 and seen[0] < 0.4


def test_a_request_waits_no_longer_than_its_clock_says(start_emulator: Any) -> None:
    emulator = start_emulator("--transition-seconds", 600, "--speed", 60)
    body = {"warehouse_id": starter(emulator), "statement": "SELECT 1", "wait_timeout": "30s"}
    began = time.monotonic()
    assert emulator.request("POST", STATEMENTS, body)[1]["status"] == {"state": "PENDING"}
    assert time.monotonic() - began < 4
    cancelled = emulator.request("POST", STATEMENTS, body | {"on_wait_timeout": "CANCEL"})[1]
    assert cancelled["status"] == {"state": "CANCELED"}


def test_the_sdk_runs_warehouses_statements_and_history(emulator: EmulatorProcess) -> None:
    client = emulator.client()
    made = client.warehouses.create_and_wait(
        name="lab", cluster_size="2X-Small", auto_stop_mins=10, max_num_clusters=1, timeout=timedelta(seconds=60)
    )
    assert made.id and made.state == State.RUNNING
    catalog = emulator.control("GET", "state")["unity_catalog"]["default_catalog"]
    client.statement_execution.execute_statement("CREATE TABLE t (id INT, name STRING)", made.id, catalog=catalog)
    client.statement_execution.execute_statement("INSERT INTO t VALUES (1, 'a'), (2, 'b')", made.id, catalog=catalog)
    answer = client.statement_execution.execute_statement(
        "SELECT name FROM t WHERE id = :id",
        made.id,
        catalog=catalog,
        parameters=[StatementParameterListItem(name="id", value="2", type="INT")],
        on_wait_timeout=ExecuteStatementRequestOnWaitTimeout.CANCEL,
    )
    assert answer.status and answer.status.state == StatementState.SUCCEEDED
    assert answer.result and answer.result.data_array == [["b"]]
    assert answer.statement_id
    assert client.statement_execution.get_statement(answer.statement_id).result == answer.result
    chunk = client.statement_execution.get_statement_result_chunk_n(answer.statement_id, 0)
    assert chunk.data_array == [["b"]]
    failed = client.statement_execution.execute_statement("SELECT * FROM missing", made.id, catalog=catalog)
    assert failed.status and failed.status.state == StatementState.FAILED
    assert failed.status.error and "TABLE_OR_VIEW_NOT_FOUND" in str(failed.status.error.message)
    history = client.query_history.list(filter_by=QueryFilter(warehouse_ids=[made.id]), max_results=2)
    assert history.res and [query.query_id for query in history.res] == [failed.statement_id, answer.statement_id]
    client.warehouses.stop_and_wait(made.id, timeout=timedelta(seconds=60))
    client.warehouses.delete(made.id)
    with pytest.raises(NotFound):
        client.warehouses.get(made.id)

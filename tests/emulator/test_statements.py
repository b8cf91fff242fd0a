"""Statement Execution: SQL in three-level names, with the privileges of Unity Catalog."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.state.state import dump, dump_json, load, load_json
from emulator.statements import execution
from in_process_workspace import InProcessWorkspace

STATEMENTS = "/api/2.0/sql/statements"
WAREHOUSES = "/api/2.0/sql/warehouses"
HOUR = 3600


class Lab:
    """A workspace with Unity Catalog and a running warehouse that everybody may use."""

    def __init__(self) -> None:
        self.workspace = InProcessWorkspace(unity_catalog="auto")
        self.catalog = self.workspace.emulated.state.unity_catalog.default_catalog
        self.warehouse_id = str(self.workspace.call("GET", WAREHOUSES)["warehouses"][0]["id"])
        edited = {"auto_stop_mins": 0}
        self.workspace.call("POST", f"{WAREHOUSES}/{self.warehouse_id}/edit", edited)
        self.start()

    def start(self) -> None:
        self.workspace.call("POST", f"{WAREHOUSES}/{self.warehouse_id}/start")
        self.workspace.advance(2)

    def answer(self, statement: str, user: Any = None, **fields: Any) -> dict[str, Any]:
        body = {"warehouse_id": self.warehouse_id, "statement": statement, "catalog": self.catalog, **fields}
        answer: dict[str, Any] = self.workspace.call("POST", STATEMENTS, body, user)
        return answer

    def rows(self, statement: str, user: Any = None, **fields: Any) -> list[list[str | None]]:
        """The rows of a statement that must succeed."""
        answer = self.answer(statement, user, **fields)
        assert answer["status"] == {"state": "SUCCEEDED"}, answer["status"]
        found: list[list[str | None]] = answer["result"]["data_array"]
        return found

    def error(self, statement: str, user: Any = None, **fields: Any) -> str:
        """The message of a statement that must fail."""
        status = self.answer(statement, user, **fields)["status"]
        assert status["state"] == "FAILED", status
        assert status["error"]["error_code"] == "BAD_REQUEST"
        return str(status["error"]["message"])

    def grant(self, type: str, name: str, user: Any, *privileges: str) -> None:
        changes = [{"principal": user.name, "add": list(privileges)}]
        self.workspace.call("PATCH", f"/api/2.1/unity-catalog/permissions/{type}/{name}", {"changes": changes})


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_a_query_is_answered_with_manifest_and_result(lab: Lab) -> None:
    answer = lab.answer("SELECT concat('id-', id) AS strCol, id AS intCol, null AS nullCol FROM range(3)")
    assert answer == {
        "statement_id": answer["statement_id"],
        "status": {"state": "SUCCEEDED"},
        "manifest": {
            "format": "JSON_ARRAY",
            "schema": {
                "column_count": 3,
                "columns": [
                    {"name": "strCol", "type_text": "STRING", "type_name": "STRING", "position": 0},
                    {"name": "intCol", "type_text": "BIGINT", "type_name": "LONG", "position": 1},
                    {"name": "nullCol", "type_text": "VOID", "type_name": "NULL", "position": 2},
                ],
            },
            "total_chunk_count": 1,
            "chunks": [{"chunk_index": 0, "row_offset": 0, "row_count": 3}],
            "total_row_count": 3,
            "truncated": False,
        },
        "result": {
            "chunk_index": 0,
            "row_offset": 0,
            "row_count": 3,
            "data_array": [["id-0", "0", None], ["id-1", "1", None], ["id-2", "2", None]],
        },
    }
    assert lab.workspace.call("GET", f"{STATEMENTS}/{answer['statement_id']}") == answer


def test_a_table_is_created_filled_read_changed_and_dropped(lab: Lab) -> None:
    name = f"{lab.catalog}.default.people"
    assert lab.rows(f"CREATE TABLE {name} (id INT COMMENT 'number', name STRING, paid DECIMAL(10,2), ok BOOLEAN)") == []
    assert lab.rows(f"INSERT INTO {name} VALUES (1, 'ana', 1.5, true), (2, 'ben', NULL, false)") == [["2", "2"]]
    lab.rows(f"INSERT INTO {name} (name, id) SELECT 'zoe', 3")
    assert lab.rows(f"SELECT * FROM {name}") == [
        ["1", "ana", "1.50", "true"],
        ["2", "ben", None, "false"],
        ["3", "zoe", None, None],
    ]
    assert lab.rows(f"UPDATE {name} SET paid = id * 2 WHERE NOT ok") == [["1"]]
    assert lab.rows(f"DELETE FROM {name} WHERE id = 1") == [["1"]]
    assert lab.rows("SELECT name, paid FROM people ORDER BY id DESC") == [["zoe", None], ["ben", "4.00"]]
    assert lab.rows("SELECT count(*) AS n, sum(paid) FROM default.people") == [["2", "4.00"]]
    lab.rows(f"INSERT OVERWRITE {name} SELECT 9, 'max', 0, true")
    assert lab.rows("SELECT id FROM people") == [["9"]]
    lab.rows(f"TRUNCATE TABLE {name}")
    assert lab.rows("SELECT id FROM people") == []
    lab.rows(f"DROP TABLE {name}")
    assert lab.error("SELECT id FROM people").startswith(
        f"[TABLE_OR_VIEW_NOT_FOUND] The table or view `{lab.catalog}`."
    )
    assert lab.workspace.emulated.state.statements.rows == {}


def test_a_table_of_a_statement_is_one_of_unity_catalog(lab: Lab) -> None:
    lab.rows("CREATE TABLE default.t (id BIGINT NOT NULL, tags MAP<STRING,STRING>) COMMENT 'of the lab'")
    table = lab.workspace.call("GET", f"/api/2.1/unity-catalog/tables/{lab.catalog}.default.t")
    assert (table["table_type"], table["data_source_format"], table["comment"]) == ("MANAGED", "DELTA", "of the lab")
    shown = [(one["name"], one["type_text"], one["type_name"], one["nullable"]) for one in table["columns"]]
    assert shown == [("id", "bigint", "LONG", False), ("tags", "map<string,string>", "MAP", True)]
    lab.workspace.call("DELETE", f"/api/2.1/unity-catalog/tables/{lab.catalog}.default.t")
    assert "[TABLE_OR_VIEW_NOT_FOUND]" in lab.error("SELECT * FROM t")


def test_a_new_table_keeps_partitions_properties_and_options(lab: Lab) -> None:
    lab.rows(
        "CREATE TABLE t (id INT, day DATE) PARTITIONED BY (day) COMMENT 'of the lab' "
        "TBLPROPERTIES ('a' = '1') OPTIONS ('b' = '2')"
    )
    table = lab.workspace.call("GET", f"/api/2.1/unity-catalog/tables/{lab.catalog}.default.t")
    assert (table["properties"], table["comment"]) == ({"a": "1", "option.b": "2"}, "of the lab")
    assert [column.get("partition_index") for column in table["columns"]] == [None, 0]


def test_an_external_table_needs_a_location_of_unity_catalog(lab: Lab) -> None:
    message = lab.error("CREATE TABLE t (id INT) LOCATION 'abfss://nowhere@account.dfs.core.windows.net/t'")
    assert message.startswith("[EXTERNAL_LOCATION_DOES_NOT_EXIST] No parent external location was found")
    assert lab.rows("SHOW TABLES") == []


def test_queries_join_group_and_nest(lab: Lab) -> None:
    lab.rows("CREATE TABLE a AS SELECT id, id % 2 AS odd FROM range(5)")
    lab.rows("CREATE TABLE b (id BIGINT, name STRING)")
    lab.rows("INSERT INTO b VALUES (0, 'zero'), (3, 'three')")
    assert lab.rows("SELECT a.id, b.name FROM a LEFT JOIN b ON a.id = b.id WHERE odd = 1 ORDER BY 1") == [
        ["1", None],
        ["3", "three"],
    ]
    assert lab.rows("SELECT odd, count(*) AS n FROM a GROUP BY ALL HAVING n > 2") == [["0", "3"]]
    assert lab.rows("WITH q AS (SELECT max(id) AS m FROM a) SELECT m + 1 FROM q") == [["5"]]
    assert lab.rows("SELECT name FROM b WHERE id IN (SELECT id FROM a WHERE odd = 0)") == [["zero"]]
    assert lab.rows("SELECT id FROM b UNION ALL SELECT 7 ORDER BY id") == [["0"], ["3"], ["7"]]


def test_a_view_shows_what_its_reader_may_not_read(lab: Lab) -> None:
    ana = lab.workspace.create_user("ana@lab.example")
    lab.rows("CREATE SCHEMA hidden")
    lab.rows("CREATE TABLE hidden.t AS SELECT id FROM range(3)")
    lab.rows("CREATE VIEW hidden.v AS SELECT id FROM hidden.t WHERE id > 0")
    lab.grant("schema", f"{lab.catalog}.hidden", ana, "USE_SCHEMA")
    lab.grant("table", f"{lab.catalog}.hidden.v", ana, "SELECT")
    assert lab.rows("SELECT * FROM hidden.v", ana) == [["1"], ["2"]]
    assert "User does not have SELECT on Table" in lab.error("SELECT * FROM hidden.t", ana)
    assert "which is not a table with rows of its own" in lab.error("DELETE FROM hidden.v")
    assert "[WRONG_COMMAND_FOR_OBJECT_TYPE]" in lab.error("DROP TABLE hidden.v")


def test_a_user_is_kept_out_of_the_schema_of_another_group(lab: Lab) -> None:
    """What a check of isolation does from a student's side."""
    ana, ben = lab.workspace.create_user("ana@lab.example"), lab.workspace.create_user("ben@lab.example")
    for user, schema in ((ana, "group_01"), (ben, "group_02")):
        lab.rows(f"CREATE SCHEMA {schema}")
        lab.grant("schema", f"{lab.catalog}.{schema}", user, "USE_SCHEMA", "CREATE_TABLE", "SELECT", "MODIFY")
    lab.rows("CREATE TABLE group_01.check AS SELECT 1 AS x", ana)
    assert lab.rows("SELECT x FROM group_01.check", ana) == [["1"]]
    message = lab.error("SELECT x FROM group_01.check", ben)
    assert message == (
        "[INSUFFICIENT_PERMISSIONS] Insufficient privileges:\n"
        f"User does not have USE SCHEMA on Schema '{lab.catalog}.group_01'. SQLSTATE: 42501"
    )
    for statement in (
        "CREATE TABLE group_01.mine (x INT)",
        "INSERT INTO group_01.check VALUES (2)",
        "DROP SCHEMA group_01",
    ):
        assert "[INSUFFICIENT_PERMISSIONS]" in lab.error(statement, ben)
    assert lab.rows("SHOW TABLES IN group_01", ana) == [["group_01", "check", "false"]]
    assert "[INSUFFICIENT_PERMISSIONS]" in lab.error("SHOW TABLES IN group_01", ben)
    assert lab.rows("SHOW SCHEMAS LIKE 'group*'", ben) == [["group_02"]]
    lab.rows("DROP TABLE group_01.check", ana)


def test_a_change_of_a_table_needs_modify_and_a_drop_its_owner(lab: Lab) -> None:
    ana = lab.workspace.create_user("ana@lab.example")
    lab.rows("CREATE SCHEMA s")
    lab.rows("CREATE TABLE s.t AS SELECT 1 AS x")
    lab.grant("schema", f"{lab.catalog}.s", ana, "USE_SCHEMA", "SELECT")
    assert "User does not have MODIFY on Table" in lab.error("INSERT INTO s.t VALUES (2)", ana)
    lab.grant("table", f"{lab.catalog}.s.t", ana, "MODIFY")
    lab.rows("INSERT INTO s.t VALUES (2)", ana)
    assert "User does not have MANAGE on Table" in lab.error("DROP TABLE s.t", ana)
    lab.grant("schema", f"{lab.catalog}.s", ana, "CREATE_TABLE")
    assert "User does not have MANAGE on Table" in lab.error("CREATE OR REPLACE TABLE s.t (x INT)", ana)
    assert lab.rows("SELECT x FROM s.t", ana) == [["1"], ["2"]]


def test_grants_are_given_and_taken_by_statements(lab: Lab) -> None:
    ana = lab.workspace.create_user("ana@lab.example")
    lab.rows("CREATE SCHEMA s")
    lab.rows("CREATE TABLE s.t AS SELECT 1 AS x")
    lab.rows("GRANT USE SCHEMA ON SCHEMA s TO `ana@lab.example`")
    lab.rows("GRANT SELECT ON TABLE s.t TO `ana@lab.example`")
    assert lab.rows("SELECT x FROM s.t", ana) == [["1"]]
    assert lab.rows("SHOW GRANTS ON TABLE s.t") == [["ana@lab.example", "SELECT", "TABLE", f"{lab.catalog}.s.t"]]
    assert "[INSUFFICIENT_PERMISSIONS]" in lab.error("GRANT MODIFY ON TABLE s.t TO `ana@lab.example`", ana)
    lab.rows("REVOKE SELECT ON TABLE s.t FROM `ana@lab.example`")
    assert "SELECT" in lab.error("SELECT x FROM s.t", ana)
    assert "[PRINCIPAL_DOES_NOT_EXIST]" in lab.error("GRANT SELECT ON TABLE s.t TO nobody")


def test_schemas_are_created_listed_and_dropped(lab: Lab) -> None:
    lab.rows("CREATE SCHEMA IF NOT EXISTS s")
    lab.rows("CREATE SCHEMA IF NOT EXISTS s")
    assert "[SCHEMA_ALREADY_EXISTS]" in lab.error("CREATE SCHEMA s")
    lab.rows("CREATE TABLE s.t (x INT)")
    assert "is not empty" in lab.error("DROP SCHEMA s")
    lab.rows("DROP SCHEMA s CASCADE")
    assert lab.rows("SHOW SCHEMAS LIKE 's'") == []
    lab.rows("DROP SCHEMA IF EXISTS s")
    assert "[SCHEMA_NOT_FOUND]" in lab.error("DROP SCHEMA s")


def test_descriptions_show_columns_and_catalogs(lab: Lab) -> None:
    lab.rows("CREATE TABLE t (id INT COMMENT 'number', name STRING)")
    lab.rows("ALTER TABLE t ADD COLUMNS (day DATE)")
    lab.rows("INSERT INTO t VALUES (1, 'a', DATE'2026-10-18')")
    assert lab.rows("DESCRIBE TABLE t") == [["id", "int", "number"], ["name", "string", None], ["day", "date", None]]
    assert lab.rows("SHOW COLUMNS IN t") == [["id"], ["name"], ["day"]]
    assert [lab.catalog] in lab.rows("SHOW CATALOGS")
    assert lab.rows("SHOW VIEWS") == []
    assert lab.rows("SELECT * FROM t") == [["1", "a", "2026-10-18"]]


def test_columns_are_added_renamed_commented_and_dropped(lab: Lab) -> None:
    lab.rows("CREATE TABLE t AS SELECT 1 AS a, 2 AS b, 3 AS c")
    lab.rows("ALTER TABLE t ADD COLUMN d INT FIRST")
    lab.rows("ALTER TABLE t ADD COLUMN e INT AFTER a")
    lab.rows("ALTER TABLE t RENAME COLUMN b TO bb")
    lab.rows("ALTER TABLE t DROP COLUMN IF EXISTS (c, nothing)")
    assert lab.rows("SHOW COLUMNS IN t") == [["d"], ["a"], ["e"], ["bb"]]
    assert lab.rows("SELECT * FROM t") == [[None, "1", None, "2"]]
    lab.rows("ALTER TABLE t ALTER COLUMN a COMMENT 'first'")
    lab.rows("ALTER TABLE t ALTER COLUMN a SET NOT NULL")
    lab.rows("ALTER TABLE t SET TBLPROPERTIES ('x' = 'y')")
    lab.rows("ALTER TABLE t CLUSTER BY (a)")
    lab.rows("COMMENT ON TABLE t IS 'of the lab'")
    table = lab.workspace.call("GET", f"/api/2.1/unity-catalog/tables/{lab.catalog}.default.t")
    assert (table["comment"], table["properties"]) == ("of the lab", {"x": "y"})
    assert [(one["name"], one["position"], one["nullable"]) for one in table["columns"]][1] == ("a", 1, False)
    assert lab.error("ALTER TABLE t DROP COLUMN z").startswith("[FIELD_NOT_FOUND]")


def test_the_session_is_of_the_caller_and_of_the_emulators_clock(lab: Lab) -> None:
    ana = lab.workspace.create_user("ana@lab.example")
    asked = "SELECT current_user(), current_catalog(), current_schema(), current_timestamp(), current_date()"
    assert lab.rows(asked, ana, schema="s") == [
        ["ana@lab.example", lab.catalog, "s", "2026-10-18T07:00:02.000Z", "2026-10-18"]
    ]


def test_parameters_are_values_of_their_type(lab: Lab) -> None:
    parameters = [
        {"name": "text", "value": "a' OR 'x'='x"},
        {"name": "day", "value": "2026-10-18", "type": "DATE"},
        {"name": "number", "value": "7", "type": "INT"},
        {"name": "nothing", "type": "STRING"},
    ]
    asked = "SELECT :text, :day, :number + 1, :nothing"
    assert lab.rows(asked, parameters=parameters) == [["a' OR 'x'='x", "2026-10-18", "8", None]]
    assert "[UNBOUND_SQL_PARAMETER] Found the unbound parameter: other." in lab.error("SELECT :other")
    wrong = [{"name": "number", "value": "seven", "type": "INT"}]
    assert "[CAST_INVALID_INPUT]" in lab.error("SELECT :number", parameters=wrong)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELEC 1", "[PARSE_SYNTAX_ERROR] Syntax error at or near '1'. (line 1, pos 7) SQLSTATE: 42601"),
        ("SELECT 1; SELECT 2", "[PARSE_SYNTAX_ERROR] Syntax error at or near ';': extra input. SQLSTATE: 42601"),
        ("-- nothing", "[PARSE_EMPTY_STATEMENT]"),
        ("SELECT x FROM range(1)", "[UNRESOLVED_COLUMN.WITHOUT_SUGGESTION] Column 'x' could not be resolved"),
        ("SELECT CAST('x' AS INT)", "[CAST_INVALID_INPUT]"),
        ("OPTIMIZE t", "[NOT_IMPLEMENTED] The emulator does not carry out the statement OPTIMIZE;"),
        ("MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE", "the statement MERGE;"),
        ("SHOW FUNCTIONS", "SHOW FUNCTIONS;"),
        ("SELECT no_such_function(1)", "no such function: NO_SUCH_FUNCTION"),
        ("CREATE FUNCTION f() RETURNS INT RETURN 1", "CREATE FUNCTION;"),
        ("WITH RECURSIVE r AS (SELECT 1 n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r", "than a second;"),
        ("SELECT * FROM nowhere.s.t", "[TABLE_OR_VIEW_NOT_FOUND] The table or view `nowhere`.`s`.`t` cannot be found."),
        ("SELECT " + "(" * 5000 + "1" + ")" * 5000, "["),
    ],
)
def test_a_statement_that_cannot_be_carried_out_fails_with_a_sentence(lab: Lab, statement: str, message: str) -> None:
    assert message in lab.error(statement)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("INSERT INTO t VALUES (1)", "[INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS]"),
        ("INSERT INTO t VALUES (1, 'a', 2)", "[INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS]"),
        ("INSERT INTO t (id, zz) VALUES (1, 'a')", "A column with name `zz` cannot be resolved."),
        ("INSERT INTO t VALUES (1, 'a'), ('x', 'b')", 'cannot be cast to "INT".'),
        ("INSERT INTO t VALUES (1, 'a'), (2)", "The rows have different lengths."),
        ("UPDATE t SET id = 'x'", "The value 'x' of the column `id` cannot be cast"),
        ("CREATE TABLE t (x INT)", "[TABLE_OR_VIEW_ALREADY_EXISTS]"),
        ("CREATE TABLE u (x INT, X INT)", "[COLUMN_ALREADY_EXISTS]"),
        ("ALTER TABLE t ADD COLUMN id INT", "[FIELD_ALREADY_EXISTS]"),
    ],
)
def test_a_change_that_fails_changes_nothing(lab: Lab, statement: str, message: str) -> None:
    lab.rows("CREATE TABLE t AS SELECT CAST(7 AS INT) AS id, 'z' AS name")
    before = dump(lab.workspace.emulated.state)["statements"]["rows"]
    assert message in lab.error(statement)
    assert dump(lab.workspace.emulated.state)["statements"]["rows"] == before


def test_a_large_result_comes_in_chunks_that_name_the_next(lab: Lab) -> None:
    answer = lab.answer("SELECT id FROM range(2500)")
    assert (answer["manifest"]["total_chunk_count"], answer["manifest"]["total_row_count"]) == (3, 2500)
    found, chunk = [], answer["result"]
    while True:
        found += [row[0] for row in chunk["data_array"]]
        if "next_chunk_internal_link" not in chunk:
            break
        chunk = lab.workspace.call("GET", chunk["next_chunk_internal_link"])
    assert found == [str(number) for number in range(2500)]
    path = f"{STATEMENTS}/{answer['statement_id']}/result/chunks/3"
    assert lab.workspace.refusal("GET", path)[0] == 400


def test_limits_of_rows_and_bytes_truncate_a_result(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = lab.answer("SELECT id FROM range(9)", row_limit=2)
    assert (rows["manifest"]["truncated"], rows["result"]["data_array"]) == (True, [["0"], ["1"]])
    bytes_ = lab.answer("SELECT id FROM range(9)", byte_limit=20)
    assert (bytes_["manifest"]["truncated"], bytes_["manifest"]["total_row_count"]) == (True, 3)
    monkeypatch.setattr(execution, "MAX_RESULT_BYTES", 1000)
    assert "Inline byte limit exceeded" in lab.error("SELECT 'x' AS text, id FROM range(900)")


def test_a_statement_starts_its_warehouse_and_waits_for_it(lab: Lab) -> None:
    lab.workspace.call("POST", f"{WAREHOUSES}/{lab.warehouse_id}/stop")
    lab.workspace.advance(2)
    waiting, cancelled = lab.answer("SELECT 1"), lab.answer("SELECT 2", on_wait_timeout="CANCEL")
    path = f"{STATEMENTS}/{waiting['statement_id']}"
    assert (waiting["status"], cancelled["status"]) == ({"state": "PENDING"}, {"state": "CANCELED"})
    assert lab.workspace.refusal("GET", f"{path}/result/chunks/0")[0] == 404
    lab.workspace.advance(2)
    assert lab.workspace.call("GET", path)["result"]["data_array"] == [["1"]]


def test_a_statement_that_waits_can_be_cancelled(lab: Lab) -> None:
    lab.workspace.call("POST", f"{WAREHOUSES}/{lab.warehouse_id}/stop")
    lab.workspace.advance(2)
    path = f"{STATEMENTS}/{lab.answer('SELECT 1', wait_timeout='0s')['statement_id']}"
    lab.workspace.call("POST", f"{path}/cancel")
    lab.workspace.advance(2)
    assert lab.workspace.call("GET", path)["status"] == {"state": "CANCELED"}


def test_a_result_is_closed_after_an_hour_and_forgotten_after_twelve(lab: Lab) -> None:
    path = f"{STATEMENTS}/{lab.answer('SELECT 1')['statement_id']}"
    lab.workspace.advance(HOUR)
    assert lab.workspace.call("GET", path)["status"] == {"state": "CLOSED"}
    lab.workspace.advance(11 * HOUR)
    assert lab.workspace.refusal("GET", path)[0] == 404
    assert lab.workspace.call("GET", "/api/2.0/sql/history/queries")["res"][0]["query_text"] == "SELECT 1"


def test_a_statement_belongs_to_its_submitter(lab: Lab) -> None:
    ana = lab.workspace.create_user("ana@lab.example")
    path = f"{STATEMENTS}/{lab.answer('SELECT 1', ana)['statement_id']}"
    assert lab.workspace.call("GET", path, user=ana)["status"] == {"state": "SUCCEEDED"}
    assert lab.workspace.refusal("GET", path)[:2] == (403, "PERMISSION_DENIED")


def test_statements_are_in_the_query_history(lab: Lab) -> None:
    ana = lab.workspace.create_user("ana@lab.example")
    lab.answer("SELECT id FROM range(3)", ana)
    lab.answer("DROP TABLE nothing")
    second, first = lab.workspace.call("GET", "/api/2.0/sql/history/queries")["res"]
    shown = ("user_name", "status", "statement_type", "rows_produced", "warehouse_id")
    assert [first[name] for name in shown] == ["ana@lab.example", "FINISHED", "SELECT", 3, lab.warehouse_id]
    assert (second["status"], second["statement_type"]) == ("FAILED", "DROP")
    assert second["error_message"].startswith("[TABLE_OR_VIEW_NOT_FOUND]")


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"statement": ""}, 400, "Missing required field: statement"),
        ({"warehouse_id": "nothing"}, 404, "SQL warehouse nothing does not exist."),
        ({"wait_timeout": "3s"}, 400, "wait_timeout must be 0s, or between 5s and 50s, not '3s'."),
        ({"on_wait_timeout": "STOP"}, 400, "on_wait_timeout must be CONTINUE or CANCEL"),
        ({"format": "CSV"}, 400, "The format CSV is not supported with the disposition INLINE."),
        ({"disposition": "EXTERNAL_LINKS"}, 501, "disposition INLINE alone"),
        ({"row_limit": 0}, 400, "row_limit must be a positive integer, not 0."),
        ({"parameters": ["x"]}, 400, "parameters must be a list of objects with a name."),
    ],
)
def test_a_wrong_request_is_refused(lab: Lab, fields: dict[str, Any], status: int, message: str) -> None:
    body = {"warehouse_id": lab.warehouse_id, "statement": "SELECT 1", **fields}
    refused = lab.workspace.refusal("POST", STATEMENTS, body)
    assert (refused[0], message in refused[2]) == (status, True), refused


def test_a_command_in_sql_on_a_cluster_is_executed(lab: Lab) -> None:
    cluster_id = lab.workspace.create_running()
    body = {"clusterId": cluster_id, "language": "sql"}
    context_id = lab.workspace.call("POST", "/api/1.2/contexts/create", body)["id"]

    def results(text: str) -> Any:
        sent = body | {"contextId": context_id, "command": text}
        command_id = lab.workspace.call("POST", "/api/1.2/commands/execute", sent)["id"]
        lab.workspace.advance(2)
        query = f"clusterId={cluster_id}&contextId={context_id}&commandId={command_id}"
        status = lab.workspace.call("GET", f"/api/1.2/commands/status?{query}")
        assert status["status"] == "Finished"
        return status["results"]

    assert results(f"CREATE TABLE {lab.catalog}.default.t AS SELECT 1 AS x")["resultType"] == "table"
    found = results("SELECT x FROM t")
    assert (found["data"], found["schema"]) == ([["1"]], [{"name": "x", "type": '"int"', "metadata": "{}"}])
    failed = results("SELECT x FROM nothing")
    assert (failed["resultType"], "[TABLE_OR_VIEW_NOT_FOUND]" in failed["summary"]) == ("error", True)


def test_a_workspace_without_metastore_computes_without_tables(workspace: InProcessWorkspace) -> None:
    warehouse_id = workspace.call("GET", WAREHOUSES)["warehouses"][0]["id"]
    workspace.call("POST", f"{WAREHOUSES}/{warehouse_id}/start")
    workspace.advance(2)
    body = {"warehouse_id": warehouse_id, "statement": "SELECT 1 + 1"}
    assert workspace.call("POST", STATEMENTS, body)["result"]["data_array"] == [["2"]]
    for statement in ("SELECT * FROM t", "SHOW CATALOGS", "CREATE SCHEMA s"):
        status = workspace.call("POST", STATEMENTS, body | {"statement": statement})["status"]
        assert status["state"] == "FAILED", statement


def test_tables_and_results_survive_a_restart(lab: Lab) -> None:
    lab.rows("CREATE TABLE t AS SELECT id, 'x' AS name FROM range(2)")
    state = lab.workspace.emulated.state
    assert load_json(dump_json(state)) == load(dump(state)) == state
    lab.workspace.emulated.state = load_json(dump_json(state))
    assert lab.rows("SELECT * FROM t") == [["0", "x"], ["1", "x"]]

"""The statement that is being carried out: its user, its default names, its time, and what it may see."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.api.errors import ApiError
from emulator.api.routing import Request
from emulator.base.clock import Millis
from emulator.base.content import EMPTY
from emulator.grants import access
from emulator.grants.privileges import MODIFY, SELECT
from emulator.models.scim import ServicePrincipal, User
from emulator.models.sql.statements import Column, Row
from emulator.models.unity_catalog.securables import TABLE, Securable
from emulator.state.workspace import EmulatedWorkspace
from emulator.statements import engine, parsing
from emulator.statements.engine import Relation
from emulator.statements.errors import StatementError, insufficient, schema_not_found, table_not_found, unsupported
from emulator.statements.parsing import sqlglot

MAX_VIEW_DEPTH = 20
SystemTable = Callable[[EmulatedWorkspace, Millis], Relation]
system_tables: dict[str, SystemTable] = {}
"""Tables that the platform fills, by full name, such as `system.billing.usage`."""


@dataclass
class SqlSession:
    workspace: EmulatedWorkspace
    user: User | ServicePrincipal
    catalog: str
    schema: str
    now: Millis
    text: str = ""
    """The whole statement."""
    depth: int = 0
    """The number of views around what is being read."""
    checks: bool = True
    """False within a view, whose owner has the privileges on what it reads."""

    @property
    def request(self) -> Request:
        """A request of the user, as Unity Catalog asks for the privileges of one."""
        return Request(
            workspace=self.workspace,
            method="POST",
            path="/api/2.0/sql/statements",
            query={},
            headers={},
            content=EMPTY,
            now=self.now,
            _caller=self.user,
        )

    def bind(self, tree: Any) -> Any:
        """Put the values of the session into a tree."""
        return parsing.with_session_values(tree, self.user.name, self.catalog, self.schema, self.now)

    def run(self, tree: Any) -> Relation:
        """The result of a query."""
        return engine.run(tree, self.relation, self.bind, self.catalog, self.schema)

    def full_name(self, node: Any) -> str:
        return parsing.full_name(node, self.catalog, self.schema)

    def found(self, type: str, full_name: str) -> Securable:
        """The securable. Raises StatementError for one that is not there or not bound to this workspace."""
        try:
            return access.found(self.request, type, full_name)
        except ApiError as error:
            if error.status != 404:
                raise insufficient(error.message) from None
            if error.code == "METASTORE_DOES_NOT_EXIST":
                text = "[UC_NOT_ENABLED] Unity Catalog is not enabled on this cluster. SQLSTATE: 56038"
                raise StatementError(text) from None
            raise (table_not_found if type == TABLE else schema_not_found)(full_name) from None

    def require(self, securable: Securable, privilege: str) -> None:
        """Raises StatementError without the privilege, or without the way to it."""
        if self.checks:
            self._refuse(lambda: access.require(self.request, securable, privilege))

    def require_manage(self, securable: Securable) -> None:
        """Raises StatementError unless the user owns or manages the securable."""
        self._refuse(lambda: access.require_manage(self.request, securable))

    def require_sight(self, securable: Securable) -> None:
        """Raises StatementError unless the user may see the securable."""
        self._refuse(lambda: access.require_sight(self.request, securable))

    def _refuse(self, check: Callable[[], None]) -> None:
        try:
            check()
        except ApiError as error:
            raise insufficient(error.message) from None

    def relation(self, node: Any) -> Relation:
        """The table or view that a node names, with its rows. Raises StatementError without SELECT on it."""
        name = self.full_name(node)
        table = self.found(TABLE, name)
        self.require(table, SELECT)
        if name in system_tables:
            return system_tables[name](self.workspace, self.now)
        definition = table.details.get("view_definition")
        if definition:
            found = self._view(str(definition), name)
            # A view may name its columns itself.
            named = columns_of(table)
            return Relation(named, found.rows) if len(named) == len(found.columns) else found
        return Relation(columns_of(table), self.rows(table))

    def _view(self, definition: str, full_name: str) -> Relation:
        if self.depth >= MAX_VIEW_DEPTH:
            raise unsupported(f"views that are nested more than {MAX_VIEW_DEPTH} times")
        catalog, schema, _ = full_name.split(".")
        inner = SqlSession(
            self.workspace, self.user, catalog, schema, self.now, definition, self.depth + 1, checks=False
        )
        return inner.run(parsing.parse(definition, []))

    def rows(self, table: Securable) -> list[Row]:
        """The rows of the table as they are kept, in the order of its columns."""
        width = len(columns_of(table))
        # A table that was changed through the API may have other columns than its rows.
        kept = self.workspace.state.statements.rows.get(table.id, [])
        return [[*row[:width], *[None] * (width - len(row))] for row in kept]

    def store(self, table: Securable, rows: list[Row]) -> None:
        """Let these be the rows of the table."""
        self.workspace.state.statements.rows[table.id] = rows

    def written(self, node: Any) -> Securable:
        """The table that a node names and that the user may change. Raises StatementError for any other."""
        table = self.found(TABLE, self.full_name(node))
        self.require(table, MODIFY)
        if table.details.get("view_definition") or self.full_name(node) in system_tables:
            raise unsupported(f"changes of {self.full_name(node)}, which is not a table with rows of its own")
        self._refuse(lambda: access.check_writable(self.request, table))
        return table


def columns_of(table: Securable) -> list[Column]:
    """The columns of a table in their order."""
    columns = table.details.get("columns") or []
    return [Column(str(one.get("name")), str(one.get("type_text") or "STRING").upper()) for one in columns]


def is_query(tree: Any) -> bool:
    return isinstance(tree, sqlglot.exp.Query | sqlglot.exp.Values)

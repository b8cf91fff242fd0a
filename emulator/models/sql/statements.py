"""SQL statements with their results, and the rows of tables."""

from dataclasses import dataclass, field
from typing import Any, Literal

StatementState = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED", "CLOSED"]
Row = list[str | None]
"""The values in a row, as strings."""


@dataclass
class Column:
    name: str
    type: str
    """The full Databricks SQL type, such as `DECIMAL(10,2)`."""


@dataclass(kw_only=True)
class Statement:
    """One statement; its query, with times and user, has the same id."""

    id: str
    text: str
    catalog: str | None
    """The default catalog; None means the metastore's default catalog."""
    schema: str
    parameters: list[dict[str, Any]]
    row_limit: int | None
    byte_limit: int | None
    error: str | None = None
    columns: list[Column] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    """Rows of the result; empty once the statement is closed."""
    truncated: bool = False
    closed: bool = False
    """Whether the result can no longer be fetched."""


@dataclass
class Statements:
    by_id: dict[str, Statement] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    """Table id → rows."""

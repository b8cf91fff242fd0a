"""Dates and instants in statements: arithmetic, comparison, truncation and formatting, as functions of SQLite.

A date is a text such as `2026-10-18`, an instant one such as `2026-10-18T07:00:00.000Z`.
"""

from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.statements.parsing import DIALECT, sqlglot
from emulator.statements.values import base_type

_MONTHS = {"MONTH": 1, "MM": 1, "MON": 1, "QUARTER": 3, "YEAR": 12, "YYYY": 12, "YY": 12}
_LENGTHS = {
    "WEEK": timedelta(weeks=1),
    "DAY": timedelta(days=1),
    "HOUR": timedelta(hours=1),
    "MINUTE": timedelta(minutes=1),
    "SECOND": timedelta(seconds=1),
    "MILLISECOND": timedelta(milliseconds=1),
}
_OF_A_DATE = {*_MONTHS, "WEEK", "DAY"}
"""Units by which a date remains a date."""
_PARTS = ("YEAR", "QUARTER", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND")


def in_sqlite(node: Any) -> Any:
    """Return the node in terms of FUNCTIONS; other nodes are returned unchanged."""
    exp = sqlglot.exp
    if isinstance(node, exp.Add | exp.Sub):
        return _with_interval(node)
    if isinstance(node, exp.GT | exp.GTE | exp.LT | exp.LTE | exp.EQ | exp.NEQ | exp.Between):
        return _comparable(node)
    if isinstance(node, exp.TsOrDsAdd):
        return _call("SHIFT_TIME", _call("TO_DATE", node.this), node.expression, _unit(node))
    if isinstance(node, exp.AddMonths):
        return _call("SHIFT_TIME", _call("TO_DATE", node.this), node.expression, "MONTH")
    if isinstance(node, exp.TimestampAdd | exp.DateAdd):
        return _call("SHIFT_TIME", _call("TO_TIMESTAMP", node.this), node.expression, _unit(node))
    if isinstance(node, exp.TimestampTrunc):
        return _call("TRUNCATE_TIME", _call("TO_TIMESTAMP", node.this), _unit(node))
    if isinstance(node, exp.DateTrunc):
        return _call("TRUNCATE_TIME", _call("TO_DATE", node.this), _unit(node))
    if isinstance(node, exp.DateDiff | exp.TimestampDiff):
        return _call("TIME_BETWEEN", node.this, node.expression, _unit(node))
    if isinstance(node, exp.TimeToStr):
        return _call("FORMAT_TIME", node.this, node.args["format"].name.replace("strict", ""))
    if isinstance(node, exp.TsOrDsToDate) and not node.args.get("format"):
        return _call("TO_DATE", node.this)
    if isinstance(node, exp.Extract):
        return _call("PART_OF_TIME", node.expression, node.name)
    if type(node).__name__.upper() in _PARTS:
        return _call("PART_OF_TIME", node.this, type(node).__name__)
    return node


def _with_interval(node: Any) -> Any:
    exp = sqlglot.exp
    value, interval = node.this, node.expression
    if isinstance(value, exp.Interval) and isinstance(node, exp.Add):
        value, interval = interval, value
    if not isinstance(interval, exp.Interval) or not isinstance(interval.args.get("unit"), exp.Var):
        return node
    amount = exp.Neg(this=exp.paren(interval.this)) if isinstance(node, exp.Sub) else interval.this
    return _call("SHIFT_TIME", value, amount, _unit(interval))


def _comparable(node: Any) -> Any:
    """Convert what is compared with an instant to an instant, and texts that are compared with a date to dates."""
    names = [name for name in ("this", "expression", "low", "high") if node.args.get(name) is not None]
    types = {name: _type(node.args[name]) for name in names}
    wanted = next((type for type in ("TIMESTAMP", "DATE") if type in types.values()), None)
    for name, type in types.items():
        if wanted and type != wanted and type in ("DATE", "STRING"):
            node.set(name, _call(f"TO_{wanted}", node.args[name]))
    return node


def _type(node: Any) -> str:
    return base_type(str(node.type.sql(DIALECT))) if node.type is not None else ""


def result_type(projection: Any, type: str) -> str:
    """Return the type of a projection; sqlglot does not know some types of dates."""
    exp = sqlglot.exp
    inner = projection.unalias()
    if isinstance(inner, exp.TimestampTrunc):
        return "TIMESTAMP"
    if isinstance(inner, exp.DateTrunc):
        return "DATE"
    if isinstance(inner, exp.Add | exp.Sub):
        sides = (inner.this, inner.expression)
        units = [_unit(side).upper().rstrip("S") for side in sides if isinstance(side, exp.Interval)]
        if units and any(_type(side) == "DATE" for side in sides):
            return "DATE" if units[0] in _OF_A_DATE else "TIMESTAMP"
    return type


def _unit(node: Any) -> str:
    unit = node.args.get("unit")
    return str(unit.name) if unit is not None else "DAY"


def _call(function: str, *arguments: Any) -> Any:
    exp = sqlglot.exp
    nodes = [exp.Literal.string(one) if isinstance(one, str) else one for one in arguments]
    return exp.Anonymous(this=function, expressions=nodes)


def _parsed(value: Any) -> datetime:
    instant = datetime.fromisoformat(str(value))
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _is_date(value: Any) -> bool:
    return len(str(value)) == len("2026-10-18")


def _text(instant: datetime, is_date: bool) -> str:
    if is_date:
        return instant.date().isoformat()
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shifted(value: Any, amount: Any, unit: Any) -> str | None:
    """Return the date or instant moved by an amount of units; the last day of a shorter month stands for later ones."""
    if value is None or amount is None:
        return None
    name, number, instant = _name(unit), int(float(amount)), _parsed(value)
    is_date = _is_date(value) and name in _OF_A_DATE
    if name not in _MONTHS:
        return _text(instant + number * _LENGTHS[name], is_date)
    year, month = divmod(instant.year * 12 + instant.month - 1 + number * _MONTHS[name], 12)
    day = min(instant.day, monthrange(year, month + 1)[1])
    return _text(instant.replace(year=year, month=month + 1, day=day), is_date)


def _truncated(value: Any, unit: Any) -> str | None:
    """Return the beginning of the unit; a date remains a date."""
    if value is None:
        return None
    name, instant = _name(unit), _parsed(value)
    if name in _MONTHS:
        months = instant.month - 1 - (instant.month - 1) % _MONTHS[name]
        begin = instant.replace(month=months + 1, day=1, hour=0, minute=0, second=0, microsecond=0)
    elif name == "WEEK":
        begin = (instant - timedelta(days=instant.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    else:
        start = datetime(1970, 1, 1, tzinfo=UTC)
        begin = instant - (instant - start) % _LENGTHS[name]
    return _text(begin, _is_date(value))


def _between(later: Any, earlier: Any, unit: Any) -> int | None:
    """Return the whole units from the earlier to the later one; negative if they are in the other order."""
    if later is None or earlier is None:
        return None
    name, end, start = _name(unit), _parsed(later), _parsed(earlier)
    if name not in _MONTHS:
        return int((end - start) / _LENGTHS[name])
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and end.day < start.day:
        months -= 1
    elif months < 0 and end.day > start.day:
        months += 1
    return int(months / _MONTHS[name])


def _formatted(value: Any, pattern: Any) -> str | None:
    return None if value is None else _parsed(value).strftime(str(pattern))


def _part(value: Any, unit: Any) -> int | None:
    if value is None:
        return None
    instant, name = _parsed(value), _name(unit)
    return (instant.month + 2) // 3 if name == "QUARTER" else int(getattr(instant, name.lower()))


def _name(unit: Any) -> str:
    """Return the unit in upper case and singular. Raises ValueError for an unknown one."""
    name = str(unit).upper()
    name = name.removesuffix("S") if name not in _MONTHS else name
    if name not in {*_MONTHS, *_LENGTHS}:
        raise ValueError(unit)
    return name


FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "SHIFT_TIME": (3, _shifted),
    "TRUNCATE_TIME": (2, _truncated),
    "TIME_BETWEEN": (3, _between),
    "FORMAT_TIME": (2, _formatted),
    "PART_OF_TIME": (2, _part),
}
"""The functions of SQLite, each with its number of arguments."""

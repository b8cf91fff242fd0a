"""The rows of `system.billing.usage` and `system.billing.list_prices` as statements read them."""

import json
import uuid
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

from emulator.base.clock import Millis, to_iso
from emulator.billing.periods import periods
from emulator.billing.usage import Charge, UsageRecord, corrected, in_table, usage_records
from emulator.models.sql.statements import Column, Row
from emulator.reference import prices
from emulator.reference.system_tables import (
    COLUMNS,
    FEATURE_FIELDS,
    IDENTITY_FIELDS,
    LIST_PRICES,
    METADATA_FIELDS,
    USAGE,
)
from emulator.state.workspace import EmulatedWorkspace
from emulator.statements.engine import Relation
from emulator.statements.session import SystemTable

CLOUD, UNIT = "AZURE", "DBU"
DIGITS = 18
"""Digits after the decimal point in the type of `usage_quantity`."""


def all_records(workspace: EmulatedWorkspace, now: Millis) -> list[UsageRecord]:
    """Return all usage records, also those that are not yet or no longer in the table, and those of this hour."""
    originals = usage_records(periods(workspace.state, now), workspace.state.workspace_id)
    return corrected(originals, workspace.state.billing.corrections)


def usage(workspace: EmulatedWorkspace, now: Millis) -> Relation:
    """Return the rows of `system.billing.usage`."""
    account = account_id(workspace)
    found = in_table(all_records(workspace, now), now)
    return _relation(USAGE, (_usage_row(record, account, workspace.state.workspace_id) for record in found))


def list_prices(workspace: EmulatedWorkspace, now: Millis) -> Relation:
    """Return the rows of `system.billing.list_prices`: the current price of each SKU."""
    account = account_id(workspace)
    rows = []
    for sku, price in prices.LIST_PRICES.items():
        amount = float(price)
        pricing = {"default": amount, "promotional": {"default": None}, "effective_list": {"default": amount}}
        rows.append(
            {
                "price_start_time": to_iso(prices.PRICES_START),
                "account_id": account,
                "sku_name": sku,
                "cloud": CLOUD,
                "currency_code": prices.CURRENCY,
                "usage_unit": UNIT,
                "pricing": json.dumps(pricing),
            }
        )
    return _relation(LIST_PRICES, rows)


SYSTEM_TABLES: Mapping[str, SystemTable] = {USAGE: usage, LIST_PRICES: list_prices}


def account_id(workspace: EmulatedWorkspace) -> str:
    """Return the id of the account in the tables, which follows from that of the workspace."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"account of {workspace.state.workspace_id}"))


def _relation(table: str, rows: Iterable[Mapping[str, str]]) -> Relation:
    """Return the rows in the order of the table's columns. A column that a row does not have is NULL."""
    columns = [Column(name, type) for name, type in COLUMNS[table].items()]
    ordered: list[Row] = [[row.get(column.name) for column in columns] for row in rows]
    return Relation(columns, ordered)


def _usage_row(record: UsageRecord, account: str, workspace_id: str) -> dict[str, str]:
    start, end, ingested = _iso(record.start), _iso(record.end), _iso(record.ingested_at)
    return {
        "account_id": account,
        "workspace_id": workspace_id,
        "record_id": record.record_id,
        "cloud": CLOUD,
        "usage_start_time": start,
        "usage_end_time": end,
        "usage_date": start[:10],
        "usage_unit": UNIT,
        "usage_quantity": decimal_text(record.dbus),
        "record_type": record.record_type,
        "ingestion_date": ingested[:10],
        "usage_type": "COMPUTE_TIME",
        **_charge_cells(record.charge),
    }


def decimal_text(number: Fraction) -> str:
    """Return the number with DIGITS digits after the decimal point, rounded."""
    scaled = round(abs(number) * 10**DIGITS)
    return f"{'-' if number < 0 else ''}{scaled // 10**DIGITS}.{scaled % 10**DIGITS:0{DIGITS}}"


# The records of an hour share their instants.
_iso = lru_cache(maxsize=1024)(to_iso)


@lru_cache(maxsize=4096)
def _charge_cells(charge: Charge) -> Mapping[str, str]:
    """Return the cells that are equal in all records of a charge."""
    return {
        "sku_name": charge.sku_name,
        "billing_origin_product": charge.product,
        "custom_tags": json.dumps(dict(charge.tags), ensure_ascii=False),
        "usage_metadata": _struct(METADATA_FIELDS, charge.metadata),
        "identity_metadata": _struct(IDENTITY_FIELDS, charge.identity),
        "product_features": _struct(FEATURE_FIELDS, charge.features),
    }


def _struct(fields: Iterable[str], values: Iterable[tuple[str, Any]]) -> str:
    return json.dumps(dict.fromkeys(fields) | dict(values), ensure_ascii=False)

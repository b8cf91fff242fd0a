"""Usage records for billing, without the table's delay, and corrections on request."""

from collections.abc import Iterable
from typing import Any

from emulator.api.routing import Request
from emulator.base.clock import Millis, to_iso
from emulator.billing.tables import all_records, decimal_text
from emulator.billing.usage import UsageRecord, in_table, metadata_of, valid
from emulator.control.bodies import UsageCorrectionBody, UsageQuery, parse_body, parse_query_as
from emulator.models.billing.records import Correction


def show_usage(request: Request) -> dict[str, Any]:
    """Return the usage records that overlap the interval, including records that are not in the table yet."""
    wanted = parse_query_as(request, UsageQuery)
    begin, end = wanted.range(request.now)
    records = _overlapping(all_records(request.workspace, request.now), begin, end)
    return {"records": [_described(record) for record in records if _concerns(record, wanted)]}


def correct_usage(request: Request) -> dict[str, int]:
    """Retract the records of a cluster, a warehouse or serverless compute, and restate them with a different quantity.

    Only records that are in the table now are corrected. The corrections appear in the table at once.
    """
    body = parse_body(request, UsageCorrectionBody)
    begin, end = body.range(request.now)
    shown = in_table(all_records(request.workspace, request.now), request.now)
    met = [record for record in _overlapping(valid(shown), begin, end) if _concerns(record, body)]
    request.workspace.state.billing.corrections += [
        Correction(request.now, record.record_id, str(body.factor)) for record in met
    ]
    return {"retracted": len(met), "restated": len(met) if body.factor else 0}


def _concerns(record: UsageRecord, wanted: UsageQuery | UsageCorrectionBody) -> bool:
    metadata = metadata_of(record)
    if wanted.cluster_id is not None:
        return metadata.get("cluster_id") == wanted.cluster_id
    if wanted.warehouse_id is not None:
        return metadata.get("warehouse_id") == wanted.warehouse_id
    return not wanted.serverless or not metadata.keys() & {"cluster_id", "warehouse_id"}


def _overlapping(records: Iterable[UsageRecord], begin: Millis, end: Millis) -> list[UsageRecord]:
    return [record for record in records if record.start < end and record.end > begin]


def _described(record: UsageRecord) -> dict[str, Any]:
    return {
        "record_id": record.record_id,
        "record_type": record.record_type,
        "sku_name": record.charge.sku_name,
        **dict(record.charge.metadata),
        **dict(record.charge.identity),
        "custom_tags": dict(record.charge.tags),
        "start": to_iso(record.start),
        "end": to_iso(record.end),
        "dbus": decimal_text(record.dbus),
        "ingested": to_iso(record.ingested_at),
    }

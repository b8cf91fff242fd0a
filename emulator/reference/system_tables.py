"""Columns of the tables in the catalog `system`. Pure constants."""

from collections.abc import Mapping

USAGE, LIST_PRICES = "system.billing.usage", "system.billing.list_prices"
METADATA_FIELDS = tuple(
    """
    cluster_id job_id warehouse_id instance_pool_id node_type job_run_id notebook_id dlt_pipeline_id endpoint_name
    endpoint_id dlt_update_id dlt_maintenance_id run_name job_name notebook_path central_clean_room_id source_region
    destination_region app_id app_name metastore_id private_endpoint_name storage_api_type budget_policy_id
    ai_runtime_pool_id ai_runtime_workload_id uc_table_catalog uc_table_schema uc_table_name database_instance_id
    sharing_materialization_id schema_id usage_policy_id base_environment_id agent_bricks_id index_id catalog_id
    """.split()
)
"""Fields of `usage_metadata`, all strings."""
IDENTITY_FIELDS = ("run_as", "created_by", "owned_by")
"""Fields of `identity_metadata`, all strings."""
FEATURE_FIELDS: Mapping[str, str] = {
    "jobs_tier": "STRING",
    "sql_tier": "STRING",
    "dlt_tier": "STRING",
    "is_serverless": "BOOLEAN",
    "is_photon": "BOOLEAN",
    "serving_type": "STRING",
    "networking": "STRUCT<connectivity_type: STRING>",
    "performance_target": "STRING",
}
"""Types of the fields of `product_features`."""
DECIMAL = "DECIMAL(38,18)"


def _struct(fields: Mapping[str, str]) -> str:
    return f"STRUCT<{', '.join(f'{name}: {type}' for name, type in fields.items())}>"


_PRICE = _struct({"default": DECIMAL})
COLUMNS: Mapping[str, Mapping[str, str]] = {
    USAGE: {
        "account_id": "STRING",
        "workspace_id": "STRING",
        "record_id": "STRING",
        "sku_name": "STRING",
        "cloud": "STRING",
        "usage_start_time": "TIMESTAMP",
        "usage_end_time": "TIMESTAMP",
        "usage_date": "DATE",
        "custom_tags": "MAP<STRING, STRING>",
        "usage_unit": "STRING",
        "usage_quantity": DECIMAL,
        "usage_metadata": _struct(dict.fromkeys(METADATA_FIELDS, "STRING")),
        "identity_metadata": _struct(dict.fromkeys(IDENTITY_FIELDS, "STRING")),
        "record_type": "STRING",
        "ingestion_date": "DATE",
        "billing_origin_product": "STRING",
        "product_features": _struct(FEATURE_FIELDS),
        "usage_type": "STRING",
    },
    LIST_PRICES: {
        "price_start_time": "TIMESTAMP",
        "price_end_time": "TIMESTAMP",
        "account_id": "STRING",
        "sku_name": "STRING",
        "cloud": "STRING",
        "currency_code": "STRING",
        "usage_unit": "STRING",
        "pricing": _struct({"default": DECIMAL, "promotional": _PRICE, "effective_list": _PRICE}),
    },
}
"""Names and types of the columns in their order, by full name of the table."""

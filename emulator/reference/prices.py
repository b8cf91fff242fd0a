"""DBUs per hour and list prices of Azure Databricks, Premium, in West Europe, with their dates. Pure constants."""

from collections.abc import Mapping
from decimal import Decimal

REGION = "EU_WEST"
"""West Europe in the names of SKUs."""
ALL_PURPOSE, JOBS = "PREMIUM_ALL_PURPOSE_COMPUTE", "PREMIUM_JOBS_COMPUTE"
ALL_PURPOSE_PHOTON, JOBS_PHOTON = f"{ALL_PURPOSE}_(PHOTON)", f"{JOBS}_(PHOTON)"
ALL_PURPOSE_SERVERLESS = f"PREMIUM_ALL_PURPOSE_SERVERLESS_COMPUTE_{REGION}"
JOBS_SERVERLESS = f"PREMIUM_JOBS_SERVERLESS_COMPUTE_{REGION}"
SQL_CLASSIC = "PREMIUM_SQL_COMPUTE"
SQL_PRO = f"PREMIUM_SQL_PRO_COMPUTE_{REGION}"
SQL_SERVERLESS = f"PREMIUM_SERVERLESS_SQL_COMPUTE_{REGION}"

CURRENCY = "USD"
LIST_PRICES: Mapping[str, Decimal] = {
    ALL_PURPOSE: Decimal("0.55"),
    ALL_PURPOSE_PHOTON: Decimal("0.55"),
    JOBS: Decimal("0.30"),
    JOBS_PHOTON: Decimal("0.30"),
    ALL_PURPOSE_SERVERLESS: Decimal("1.00"),
    JOBS_SERVERLESS: Decimal("0.50"),
    SQL_CLASSIC: Decimal("0.22"),
    SQL_PRO: Decimal("0.72"),
    SQL_SERVERLESS: Decimal("0.91"),
}
"""US dollars per DBU, as published until 10 April 2026."""
PRICES_START = 1_672_531_200_000
"""1 January 2023 in milliseconds since 1970, from when these prices are assumed to apply."""

NODE_DBUS: Mapping[str, Decimal] = {
    "Standard_DS3_v2": Decimal("0.75"),
    "Standard_DS4_v2": Decimal("1.5"),
    "Standard_DS5_v2": Decimal("3"),
    "Standard_D3_v2": Decimal("0.75"),
    "Standard_D4s_v3": Decimal("0.75"),
    "Standard_D8s_v3": Decimal("1.5"),
    "Standard_D4ds_v4": Decimal("0.75"),
    "Standard_D4ds_v5": Decimal("1"),
    "Standard_D8ds_v5": Decimal("2"),
    "Standard_D16ds_v5": Decimal("4"),
    "Standard_D32ds_v5": Decimal("8"),
    "Standard_D4ads_v5": Decimal("1"),
    "Standard_D8ads_v5": Decimal("2"),
    "Standard_DS12_v2": Decimal("1"),
    "Standard_DS13_v2": Decimal("2"),
    "Standard_DS14_v2": Decimal("4"),
    "Standard_E4ds_v4": Decimal("1"),
    "Standard_E4ds_v5": Decimal("1.5"),
    "Standard_E8ds_v5": Decimal("2.75"),
    "Standard_E16ds_v5": Decimal("5.5"),
    "Standard_E4d_v4": Decimal("1"),
    "Standard_F4": Decimal("0.5"),
    "Standard_F4s_v2": Decimal("0.75"),
    "Standard_F8s_v2": Decimal("1.5"),
    "Standard_F16s_v2": Decimal("3"),
    "Standard_L4s": Decimal("1"),
    "Standard_L8s_v2": Decimal("2"),
    "Standard_L8s_v3": Decimal("2.75"),
    "Standard_L16s_v3": Decimal("5.5"),
    "Standard_NC4as_T4_v3": Decimal("1"),
    "Standard_NC6s_v3": Decimal("5"),
    "Standard_NC12s_v3": Decimal("10"),
}
"""DBUs per hour for one node without Photon, as of 21 June 2024; the value for NC4as_T4_v3 is assumed."""
PHOTON_ALL_PURPOSE, PHOTON_JOBS = Decimal("2.0"), Decimal("2.9")
"""Factors by which Photon increases the DBUs."""

WAREHOUSE_DBUS: Mapping[str, Decimal] = {
    "2X-Small": Decimal(4),
    "X-Small": Decimal(6),
    "Small": Decimal(12),
    "Medium": Decimal(24),
    "Large": Decimal(40),
    "X-Large": Decimal(80),
    "2X-Large": Decimal(144),
    "3X-Large": Decimal(272),
    "4X-Large": Decimal(528),
    "5X-Large": Decimal(1040),
}
"""DBUs per hour for one cluster of a warehouse, as of June 2024; the value for 5X-Large is assumed."""
SERVERLESS_DBUS = Decimal(2)
"""Assumed DBUs per hour for a query on serverless compute, since the platform does not publish a figure."""

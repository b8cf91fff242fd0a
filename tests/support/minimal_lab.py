"""The content of a `lab.toml` with only the required keys."""


def minimal_lab(targets: str, *, course: str = "", cluster: str = "") -> str:
    """Return settings with the default target `lab`, these target tables, and extra lines for course and cluster."""
    return f"""
default_target = "lab"
[course]
id = "94290"
term = "2026w"
title = "Data"
first_day = 2026-10-18
last_day = 2027-01-29
timezone = "Asia/Jerusalem"
rosters = ["r.csv"]
{course}
[cluster]
spark_version = "15.4.x-scala2.12"
node_type_id = "Standard_DS3_v2"
{cluster}
[quota]
soft_minutes = 150
hard_minutes = 180
{targets}
"""

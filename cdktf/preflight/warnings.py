"""Warnings about the live workspace for the person who deploys, decided from facts. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labkit.course_file import has_valid_checksum

_DELTA_PREVIEW = "spark.databricks.delta.preview.enabled"
_MODES = {
    "DATA_SECURITY_MODE_STANDARD": "USER_ISOLATION",
    "DATA_SECURITY_MODE_DEDICATED": "SINGLE_USER",
}
_PERSONAL_COMPUTE = "Personal Compute"
_UNWANTED_ENTITLEMENTS = {
    "allow-cluster-create": "create clusters",
    "allow-instance-pool-create": "create instance pools",
}


def account_group_conflict(names: Iterable[str], account_groups: Iterable[str]) -> str:
    """Return an error if an account-level group has the same name as one of ours; else an empty string."""
    conflicts = sorted(set(names) & set(account_groups))
    if not conflicts:
        return ""
    return (
        f"The Databricks account has a group named {_joined(conflicts)}, so the workspace cannot have a group "
        "with this name: rename the account's group, or set course.name_prefix in lab.toml."
    )


def missing_principals(principals: Iterable[str], account_groups: Iterable[str]) -> str:
    """Return an error if the workspace lacks a group of a directory that the roster names; else an empty string."""
    missing = sorted(set(principals) - set(account_groups))
    if not missing:
        return ""
    return (
        f"The roster has the directory's group {_joined(missing)}, but the workspace has no account-level group with "
        "this name: assign the group to the workspace, or import the roster again with --from-workspace."
    )


def open_to_everybody(
    *,
    entitlements: Iterable[str],
    warehouses: Sequence[str],
    policies: Sequence[str],
    pools: Sequence[str],
    has_metastore: bool,
    unread: Sequence[str],
    sql_access: bool,
    closes_personal_compute: bool,
) -> str:
    """Return a warning about costs that students can cause outside their clusters, or an empty string."""
    entitlements = set(entitlements)
    parts = [
        f'the group "users" has {name}, so everybody may {what}'
        for name, what in _UNWANTED_ENTITLEMENTS.items()
        if name in entitlements
    ]
    if "databricks-sql-access" in entitlements and not sql_access:
        parts.append('the group "users" has databricks-sql-access, although students.sql_access is false')
    policies = [name for name in policies if not (closes_personal_compute and name == _PERSONAL_COMPUTE)]
    parts += [
        f'the group "users" may use {kind} {_joined(names)}'
        for kind, names in (("SQL warehouse", warehouses), ("cluster policy", policies), ("instance pool", pools))
        if names
    ]
    if has_metastore:
        parts.append("a metastore is assigned, so serverless notebooks may be available to everybody")
    if unread:
        parts.append(f"{_joined(unread, quoted=False)} could not be read")
    if not parts:
        return ""
    return f"A cluster quota does not cover this: {'; '.join(parts)}. docs/deploy.md says what to do."


def would_restart(
    running: Iterable[Mapping[str, Any]],
    *,
    tags: Mapping[str, Mapping[str, str]],
    settings: Mapping[str, Any],
) -> str:
    """Return a warning about running clusters that a deployment would restart because of new settings; empty if none.

    `tags` maps cluster names to the expected tags; `settings` are the settings shared by the course's clusters. The
    number of workers is not compared, because changing it does not restart a cluster.
    """
    changed = {
        str(cluster["cluster_name"]): differences(cluster, tags=tags[str(cluster["cluster_name"])], settings=settings)
        for cluster in running
        if cluster.get("cluster_name") in tags
    }
    parts = [f"{name} ({', '.join(what)})" for name, what in sorted(changed.items()) if what]
    if not parts:
        return ""
    return f"A deployment restarts these running clusters, because their settings differ: {'; '.join(parts)}."


def differences(cluster: Mapping[str, Any], *, tags: Mapping[str, str], settings: Mapping[str, Any]) -> list[str]:
    """Return the names of the settings in which a live cluster differs from the expected ones."""
    expected: dict[str, Any] = {"custom_tags": dict(tags)}
    live: dict[str, Any] = {"custom_tags": cluster.get("custom_tags") or {}}
    for name in ("spark_version", "node_type_id", "driver_node_type_id", "autotermination_minutes"):
        expected[name], live[name] = settings[name], cluster.get(name)
    live["driver_node_type_id"] = live["driver_node_type_id"] or live["node_type_id"]
    expected["data_security_mode"] = settings["data_security_mode"]
    mode = str(cluster.get("data_security_mode") or "")
    live["data_security_mode"] = _MODES.get(mode, mode)
    expected["spark_conf"] = _without_preview(settings["spark_conf"])
    live["spark_conf"] = _without_preview(cluster.get("spark_conf") or {})
    expected["spark_env_vars"] = settings["spark_env_vars"]
    live["spark_env_vars"] = cluster.get("spark_env_vars") or {}
    expected["log_destination"] = settings["log_destination"]
    live["log_destination"] = next(
        (kind.get("destination", "") for kind in (cluster.get("cluster_log_conf") or {}).values()), ""
    )
    expected["allow_jobs"] = settings["allow_jobs"]
    clients = (cluster.get("workload_type") or {}).get("clients") or {}
    live["allow_jobs"] = clients.get("jobs", True)
    return [name for name in expected if expected[name] != live[name]]


def _without_preview(spark_conf: Mapping[str, str]) -> dict[str, str]:
    """Return Spark settings without the one that the platform adds and the provider therefore ignores."""
    return {key: value for key, value in spark_conf.items() if key != _DELTA_PREVIEW}


def course_file_edited(live: bytes | None, *, path: str, expected_sha256: str) -> str:
    """Return a warning if the live course file is neither the expected nor an intact earlier one; else ""."""
    if live is None or hashlib.sha256(live).hexdigest() == expected_sha256 or has_valid_checksum(live):
        return ""
    return (
        f"{path} was edited by hand, which Terraform does not detect. To restore it from lab.toml, run "
        "terraform apply -replace=databricks_workspace_file.course_file in the stack's folder."
    )


def unguarded(*, target: str, is_checked: bool, host: str, workspace_id: str, caller: str) -> str:
    """Return a description of the workspace that a target without expectations uses, for a person to check."""
    if is_checked:
        return ""
    return (
        f"Connected to workspace {workspace_id or 'with unknown id'} at {host} as {caller}; target {target} accepts"
        f' any workspace. To check it, set expected_workspace_id = "{workspace_id}" under'
        f" [targets.{target}] in lab.toml."
    )


def _joined(names: Sequence[str], quoted: bool = True) -> str:
    items = [f'"{name}"' for name in names] if quoted else list(names)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"

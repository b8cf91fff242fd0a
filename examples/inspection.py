"""Reads the contents of the workspace through the SDK, as an administrator would."""

from __future__ import annotations

import csv
from pathlib import Path

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.compute import LibraryInstallStatus

from screen import GroupRow

FOLDER_PREFIX = "/lab-"


def groups(workspace: WorkspaceClient, roster: Path) -> list[GroupRow]:
    """Return every group in the roster that has a cluster, with its state in the workspace."""
    titles = moodle_names(roster)
    found = {group.display_name: group for group in workspace.groups.list(attributes="displayName,members")}
    rows = []
    for cluster in sorted(workspace.clusters.list(), key=lambda cluster: cluster.cluster_name or ""):
        name = (cluster.custom_tags or {}).get("lab_group", "")
        if name not in found or cluster.cluster_id is None:
            continue
        rows.append(
            GroupRow(
                name=name,
                title=titles.get(name, ""),
                students=len(found[name].members or []),
                cluster=cluster.cluster_name or "",
                state=cluster.state.value if cluster.state else "?",
                libraries=libraries(workspace, cluster.cluster_id),
                permission=permission(workspace, cluster.cluster_id, name),
            )
        )
    return rows


def libraries(workspace: WorkspaceClient, cluster_id: str) -> str:
    """Return the number of a cluster's libraries, and the number of failed ones if there are any."""
    statuses = list(workspace.libraries.cluster_status(cluster_id))
    failed = sum(1 for status in statuses if status.status is LibraryInstallStatus.FAILED)
    return f"{len(statuses)}, {failed} failed" if failed else str(len(statuses))


def permission(workspace: WorkspaceClient, cluster_id: str, group: str) -> str:
    """Return the group's permission level on the cluster, such as CAN_RESTART."""
    entries = workspace.permissions.get("clusters", cluster_id).access_control_list or []
    levels = [p.permission_level for entry in entries if entry.group_name == group for p in entry.all_permissions or []]
    return ", ".join(level.value for level in levels if level) or "nothing"


def counts(workspace: WorkspaceClient) -> dict[str, int]:
    """Return the number of objects per kind."""
    folders = [found for found in workspace.workspace.list("/") if (found.path or "").startswith(FOLDER_PREFIX)]
    return {
        "accounts": sum(1 for _ in workspace.users.list(attributes="id")),
        "groups": sum(1 for _ in workspace.groups.list(attributes="id")),
        "clusters": sum(1 for _ in workspace.clusters.list()),
        "cluster policies": sum(1 for _ in workspace.cluster_policies.list()),
        "course folders": len(folders),
    }


def moodle_names(roster: Path) -> dict[str, str]:
    """Map each group's display name to its name in Moodle, from a normalised roster."""
    with roster.open(encoding="utf-8-sig", newline="") as file:
        return {
            f"group_{int(row['number']):02d}": row["moodle_group_name"].removeprefix("'")
            for row in csv.DictReader(file)
        }

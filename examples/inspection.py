"""What the workspace holds, asked through the SDK as an administrator would."""

from __future__ import annotations

import csv
from pathlib import Path

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.compute import LibraryInstallStatus

from screen import GroupRow

FOLDER_PREFIX = "/lab-"


def groups(workspace: WorkspaceClient, roster: Path) -> list[GroupRow]:
    """Every group of the roster that has a cluster, with what the workspace says of it."""
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
    """How many libraries a cluster has, and how many of them failed if any did."""
    statuses = list(workspace.libraries.cluster_status(cluster_id))
    failed = sum(1 for status in statuses if status.status is LibraryInstallStatus.FAILED)
    return f"{len(statuses)}, {failed} failed" if failed else str(len(statuses))


def permission(workspace: WorkspaceClient, cluster_id: str, group: str) -> str:
    """What the group itself may do with the cluster, such as CAN_RESTART."""
    entries = workspace.permissions.get("clusters", cluster_id).access_control_list or []
    levels = [p.permission_level for entry in entries if entry.group_name == group for p in entry.all_permissions or []]
    return ", ".join(level.value for level in levels if level) or "nothing"


def counts(workspace: WorkspaceClient) -> dict[str, int]:
    """How many objects of each kind there are."""
    folders = [found for found in workspace.workspace.list("/") if (found.path or "").startswith(FOLDER_PREFIX)]
    return {
        "accounts": sum(1 for _ in workspace.users.list(attributes="id")),
        "groups": sum(1 for _ in workspace.groups.list(attributes="id")),
        "clusters": sum(1 for _ in workspace.clusters.list()),
        "cluster policies": sum(1 for _ in workspace.cluster_policies.list()),
        "course folders": len(folders),
    }


def moodle_names(roster: Path) -> dict[str, str]:
    """Display name of a group → its name in Moodle, from a normalised roster."""
    with roster.open(encoding="utf-8-sig", newline="") as file:
        return {
            f"group_{int(row['number']):02d}": row["moodle_group_name"].removeprefix("'")
            for row in csv.DictReader(file)
        }

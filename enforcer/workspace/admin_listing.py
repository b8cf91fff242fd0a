"""Lists and removes clusters, users and groups, and lists permissions: what the commands for administrators need.

Like `client`, it returns the enforcer's own types and raises only WorkspaceError.
"""

from functools import partial
from typing import Any

from enforcer.domain.timestamps import from_millis
from enforcer.workspace.client import Workspace, errors_about
from enforcer.workspace.directory import ClusterInfo, Grant, GroupInfo, UserInfo
from labkit.course_file import ALL_USERS, COURSE_TAG, GROUP_TAG, TERM_TAG
from labkit.extras.sdk import InvalidParameterValue, NotFound, list_all
from labkit.workspace.expected import WorkspaceIdentity

PAGE = 100


class AdminListing:
    """Lists and removes objects through the connection of a `Workspace`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._api = workspace.api

    @property
    def identity(self) -> WorkspaceIdentity:
        """Identity of the workspace."""
        return self._workspace.identity

    def clusters(self) -> list[ClusterInfo]:
        """Return every cluster in the list, sorted by name."""
        with errors_about("the list of clusters"):
            found = self._pages("/api/2.1/clusters/list", "clusters", {"page_size": PAGE})
            pinned = {
                cluster["cluster_id"]
                for cluster in self._pages(
                    "/api/2.1/clusters/list", "clusters", {"page_size": PAGE, "filter_by.is_pinned": "true"}
                )
            }
            return sorted((_cluster(c, pinned) for c in found), key=lambda c: (c.name, c.id))

    def users(self) -> list[UserInfo]:
        """Return every user, sorted by address."""
        with errors_about("the users"):
            found = [_person(user) for user in self._scim("Users", "id,userName,displayName,active,entitlements")]
            return sorted(found, key=lambda person: person.address)

    def groups(self) -> list[GroupInfo]:
        """Return every group, sorted by name."""
        with errors_about("the groups"):
            found = [_group(group) for group in self._scim("Groups", "id,displayName,members,entitlements")]
            return sorted(found, key=lambda group: group.name)

    def grants(self, cluster_id: str) -> list[Grant]:
        """Return all permissions on a cluster, including inherited ones."""
        self._workspace.before_request("permissions/get")
        with errors_about(f"the permissions of cluster {cluster_id}"):
            answer: Any = self._api.do("GET", f"/api/2.0/permissions/clusters/{cluster_id}")
            return [
                Grant(*_principal(entry), grant["permission_level"], bool(grant.get("inherited")))
                for entry in answer.get("access_control_list", [])
                for grant in entry.get("all_permissions", [])
            ]

    def caller(self) -> tuple[str, frozenset[str]]:
        """Return the enforcer's own user, an address or an application id, and the names of its groups."""
        self._workspace.before_request("scim/me")
        with errors_about("the caller's account"):
            me: Any = self._api.do("GET", "/api/2.0/preview/scim/v2/Me")
            return me.get("userName") or "", frozenset(group.get("display", "") for group in me.get("groups", []))

    def usable_by_all(self, path: str, name: str, kind: str, id_name: str) -> int:
        """Return how many objects in a list the built-in group `users` may use; `kind` is their type in permission
        URLs.
        """
        self._workspace.before_request(f"{kind}/list")
        with errors_about(path):
            answer: Any = self._api.do("GET", path)
            ids = [entry[id_name] for entry in answer.get(name, [])]
        usable = 0
        for id in ids:
            self._workspace.before_request("permissions/get")
            with errors_about(f"the permissions of {kind} {id}"):
                answer = self._api.do("GET", f"/api/2.0/permissions/{kind}/{id}")
                usable += any(entry.get("group_name") == ALL_USERS for entry in answer.get("access_control_list", []))
        return usable

    def delete_user(self, id: str) -> None:
        """Delete the account from the workspace; do nothing if it does not exist. Raises WorkspaceError."""
        self._delete(f"/api/2.0/preview/scim/v2/Users/{id}", f"user {id}")

    def delete_group(self, id: str) -> None:
        self._delete(f"/api/2.0/preview/scim/v2/Groups/{id}", f"group {id}")

    def purge_cluster(self, id: str) -> None:
        """Delete the cluster and its definition permanently, pinned or not; do nothing if it does not exist."""
        body = {"cluster_id": id}
        with errors_about(f"cluster {id}"):
            try:
                self._workspace.before_request("clusters/unpin")
                self._api.do("POST", "/api/2.1/clusters/unpin", body=body)
                self._workspace.before_request("clusters/permanent-delete")
                self._api.do("POST", "/api/2.1/clusters/permanent-delete", body=body)
            except (NotFound, InvalidParameterValue) as error:
                if not isinstance(error, NotFound) and "does not exist" not in str(error):
                    raise

    def _delete(self, path: str, what: str) -> None:
        self._workspace.before_request("scim/delete")
        with errors_about(what):
            try:
                self._api.do("DELETE", path)
            except NotFound:
                return

    def _pages(self, path: str, name: str, query: dict[str, Any]) -> list[dict[str, Any]]:
        return list_all(self._api, path, name, query, before=partial(self._workspace.before_request, "clusters/list"))

    def _scim(self, kind: str, attributes: str) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        start = 1
        while True:
            self._workspace.before_request(f"scim/{kind.lower()}")
            query = {"startIndex": start, "count": PAGE, "attributes": attributes}
            page: Any = self._api.do("GET", f"/api/2.0/preview/scim/v2/{kind}", query=query)
            resources = page.get("Resources", [])
            # Keyed by id, because an entry may be added between two pages.
            found |= {resource["id"]: resource for resource in resources}
            start += len(resources)
            if not resources or start > int(page.get("totalResults", 0)):
                return list(found.values())


def _cluster(cluster: dict[str, Any], pinned: set[str]) -> ClusterInfo:
    tags = {**cluster.get("default_tags", {}), **cluster.get("custom_tags", {})}
    times = {name: cluster.get(name) for name in ("start_time", "last_restarted_time", "terminated_time")}
    started = times["last_restarted_time"] or times["start_time"]
    return ClusterInfo(
        cluster["cluster_id"],
        cluster.get("cluster_name", ""),
        cluster.get("state", ""),
        tags.get(GROUP_TAG),
        tags.get(COURSE_TAG),
        tags.get(TERM_TAG),
        cluster.get("creator_user_name"),
        from_millis(started) if started else None,
        from_millis(times["terminated_time"]) if times["terminated_time"] else None,
        cluster["cluster_id"] in pinned,
    )


def _person(user: dict[str, Any]) -> UserInfo:
    return UserInfo(
        user["id"],
        str(user.get("userName", "")).casefold(),
        user.get("displayName", ""),
        bool(user.get("active", True)),
        frozenset(entry.get("value", "") for entry in user.get("entitlements", [])),
    )


def _group(group: dict[str, Any]) -> GroupInfo:
    return GroupInfo(
        group["id"],
        group.get("displayName", ""),
        tuple(member["value"] for member in group.get("members", [])),
        frozenset(entry.get("value", "") for entry in group.get("entitlements", [])),
    )


def _principal(entry: dict[str, Any]) -> tuple[str, str]:
    if "group_name" in entry:
        return "group", entry["group_name"]
    if "user_name" in entry:
        return "user", str(entry["user_name"]).casefold()
    return "service principal", entry.get("service_principal_name", "")

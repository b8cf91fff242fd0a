"""Drift: changes that bypass Terraform, made through requests by an administrator."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from emulator.api.errors import invalid

SendRequest = Callable[[str, str, Any], Any]
"""`send(method, path, body)` returns the response to the administrator's request, or raises ApiError."""

CLUSTERS = "/api/2.1/clusters"
SCIM = "/api/2.0/preview/scim/v2"
GRANTEES = ("group_name", "user_name", "service_principal_name")


def delete_cluster(send: SendRequest, target: str, value: Any) -> None:
    """Delete a cluster permanently, pinned or not."""
    cluster_id = _find_cluster(send, target)["cluster_id"]
    send("POST", f"{CLUSTERS}/unpin", {"cluster_id": cluster_id})
    send("POST", f"{CLUSTERS}/permanent-delete", {"cluster_id": cluster_id})


def resize(send: SendRequest, target: str, value: Any) -> None:
    """Change the number of workers: `3`, or `{"min_workers": 1, "max_workers": 4}`."""
    cluster = _find_cluster(send, target)
    if isinstance(value, int) and not isinstance(value, bool):
        size: dict[str, Any] = {"num_workers": value}
    elif isinstance(value, dict) and set(value) == {"min_workers", "max_workers"}:
        size = {"autoscale": value}
    else:
        raise invalid('value: a number of workers, or {"min_workers": N, "max_workers": N}')
    if cluster["state"] == "RUNNING":
        send("POST", f"{CLUSTERS}/resize", {"cluster_id": cluster["cluster_id"], **size})
    else:
        rest = {name: field for name, field in _spec(send, cluster).items() if name not in _SIZES}
        send("POST", f"{CLUSTERS}/edit", rest | size)


def tag(send: SendRequest, target: str, value: Any) -> None:
    """Set custom tags on a cluster: `{"key": "value"}`; the value null removes the tag."""
    if not isinstance(value, dict) or not value:
        raise invalid('value: {"key": "value"}; null removes a tag')
    cluster = _find_cluster(send, target)
    tags = dict(cluster.get("custom_tags") or {}) | value
    spec = _spec(send, cluster) | {"custom_tags": {name: text for name, text in tags.items() if text is not None}}
    send("POST", f"{CLUSTERS}/edit", spec)


def permission(send: SendRequest, target: str, value: Any) -> None:
    """Change one grant on a cluster, or on any object such as `/directories/7`.

    `{"group_name": "group_01", "permission_level": "CAN_RESTART"}`; `user_name` and `service_principal_name` work
    in the same way. The level null removes this principal's grants, the value null all direct grants.
    """
    path = target if target.startswith("/") else f"/clusters/{_find_cluster(send, target)['cluster_id']}"
    path = f"/api/2.0/permissions{path}"
    if value is None:
        send("PUT", path, {})
        return
    names = [name for name in GRANTEES if isinstance(value, dict) and name in value]
    if len(names) != 1 or not set(value) <= {*GRANTEES, "permission_level"}:
        raise invalid(f"value: null, or one of {', '.join(GRANTEES)} with a permission_level")
    name, level = names[0], value.get("permission_level")
    if level is not None:
        send("PATCH", path, {"access_control_list": [{name: value[name], "permission_level": level}]})
        return
    kept = []
    for entry in send("GET", path, None)["access_control_list"]:
        grantee = next(field for field in GRANTEES if field in entry)
        if entry[grantee] != value[name]:
            direct = (given for given in entry["all_permissions"] if not given["inherited"])
            kept += [{grantee: entry[grantee], "permission_level": given["permission_level"]} for given in direct]
    send("PUT", path, {"access_control_list": kept})


def remove_member(send: SendRequest, target: str, value: Any) -> None:
    """Remove the user named `value` from a group."""
    group = _find_resource(send, "Groups", "displayName", target)
    user = _find_resource(send, "Users", "userName", value)
    _patch(send, group, {"op": "remove", "path": f'members[value eq "{user["id"]}"]'})


def add_member(send: SendRequest, target: str, value: Any) -> None:
    """Add the user named `value` to a group."""
    group = _find_resource(send, "Groups", "displayName", target)
    user = _find_resource(send, "Users", "userName", value)
    _patch(send, group, {"op": "add", "path": "members", "value": [{"value": user["id"]}]})


def policy(send: SendRequest, target: str, value: Any) -> None:
    """Change the definition of a policy, or its overrides if it has a family. `target` is the policy's name or id;
    `value` is the new definition, as JSON or as a string with JSON."""
    listed = send("GET", "/api/2.0/policies/clusters/list", None).get("policies", [])
    found = next((entry for entry in listed if target in (entry["policy_id"], entry["name"])), None)
    if found is None:
        raise invalid(f"target: no policy {target!r} exists")
    if not isinstance(value, str | dict) or not value:
        raise invalid("value: the new definition")
    text = value if isinstance(value, str) else json.dumps(value)
    kept = ("policy_id", "name", "description", "max_clusters_per_user", "libraries", "policy_family_id")
    edited = {name: found[name] for name in kept if found.get(name)}
    edited["policy_family_definition_overrides" if found.get("policy_family_id") else "definition"] = text
    send("POST", "/api/2.0/policies/clusters/edit", edited)


def uninstall_library(send: SendRequest, target: str, value: Any) -> None:
    """Uninstall a library from a cluster. `value` is the library as in the API, or a part of its name such as
    `pandas`."""
    cluster_id = _find_cluster(send, target)["cluster_id"]
    answer = send("GET", f"/api/2.0/libraries/cluster-status?{urlencode({'cluster_id': cluster_id})}", None)
    libraries = [entry["library"] for entry in answer.get("library_statuses", [])]
    if isinstance(value, str):
        found = [library for library in libraries if value in json.dumps(library)]
    else:
        found = [library for library in libraries if library == value]
    if not found or not value:
        raise invalid(f"value: one of the libraries of {target}: {json.dumps(libraries)}")
    send("POST", "/api/2.0/libraries/uninstall", {"cluster_id": cluster_id, "libraries": found})


KINDS: dict[str, Callable[[SendRequest, str, Any], None]] = {
    kind.__name__: kind
    for kind in (
        delete_cluster,
        resize,
        tag,
        permission,
        remove_member,
        add_member,
        policy,
        uninstall_library,
    )
}

_SIZES = ("num_workers", "autoscale")


def _find_cluster(send: SendRequest, target: str) -> dict[str, Any]:
    """Return the cluster with this id or name. Raises 400 if no cluster or several clusters match."""
    listed: list[dict[str, Any]] = []
    page = {"page_size": "100"}
    while page:
        answer = send("GET", f"{CLUSTERS}/list?{urlencode(page)}", None)
        listed += answer.get("clusters", [])
        token = answer.get("next_page_token")
        page = {"page_size": "100", "page_token": token} if token else {}
    found = [entry for entry in listed if target in (entry["cluster_id"], entry.get("cluster_name"))]
    if len(found) != 1:
        raise invalid(f"target: {'several clusters are' if found else 'no cluster is'} named {target!r}")
    return found[0]


def _spec(send: SendRequest, cluster: dict[str, Any]) -> dict[str, Any]:
    """Return the last submitted definition of the cluster, as a body for an edit."""
    query = urlencode({"cluster_id": cluster["cluster_id"]})
    spec = dict(send("GET", f"{CLUSTERS}/get?{query}", None)["spec"])
    return spec | {"cluster_id": cluster["cluster_id"]}


def _find_resource(send: SendRequest, kind: str, attribute: str, name: Any) -> dict[str, Any]:
    """Return the SCIM resource with this name or id."""
    if not isinstance(name, str) or not name:
        raise invalid(f"value: {attribute} or id of one of the {kind.lower()}")
    wanted = quote(f"{attribute} eq {json.dumps(name, ensure_ascii=False)} or id eq {json.dumps(name)}")
    found = send("GET", f"{SCIM}/{kind}?filter={wanted}", None).get("Resources", [])
    if not found:
        raise invalid(f"no {name!r} among the {kind.lower()}")
    return dict(found[0])


def _patch(send: SendRequest, group: dict[str, Any], operation: dict[str, Any]) -> None:
    schema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
    send("PATCH", f"{SCIM}/Groups/{group['id']}", {"schemas": [schema], "Operations": [operation]})

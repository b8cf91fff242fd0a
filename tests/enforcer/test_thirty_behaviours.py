"""Thirty behaviours of the workspace that naive emulations get wrong, which breaks real clients; one test each."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, ResourceConflict
from databricks.sdk.service.compute import EventType, GetEventsOrder
from databricks.sdk.service.workspace import ImportFormat

from emulator_process import EmulatorProcess
from raw_socket import body_of, exchange, headers_of, request, status_of
from workspace_calls import CLUSTERS, SCIM, cluster_details, ok

pytestmark = pytest.mark.process

SPEC = {"cluster_name": "lab", "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}
ERROR_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"

Start = Callable[..., EmulatorProcess]


@pytest.fixture(scope="module")
def slow_process() -> Iterator[EmulatorProcess]:
    with EmulatorProcess(["--transition-seconds", "60"]) as process:
        yield process


@pytest.fixture
def slow(slow_process: EmulatorProcess) -> EmulatorProcess:
    """A workspace where each change of a cluster's state takes a minute."""
    slow_process.control("POST", "reset")
    return slow_process


def refused(emulator: EmulatorProcess, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    status, answer = emulator.request(method, path, body)
    assert status >= 400
    return status, answer


def user(emulator: EmulatorProcess, name: str = "ana@lab.example", **more: Any) -> dict[str, Any]:
    return ok(emulator, "POST", f"{SCIM}/Users", {"userName": name, **more})


def group(emulator: EmulatorProcess, name: str = "group_01", *members: str, **more: Any) -> dict[str, Any]:
    values = [{"value": member} for member in members]
    return ok(emulator, "POST", f"{SCIM}/Groups", {"displayName": name, "members": values, **more})


def cluster(emulator: EmulatorProcess, **more: Any) -> str:
    answer = ok(emulator, "POST", f"{CLUSTERS}/create", {"num_workers": 1, **SPEC, **more})
    return str(answer["cluster_id"])


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}


def test_metadata_are_public_and_contain_the_workspace_id_as_string(emulator: EmulatorProcess) -> None:
    answer = exchange(emulator.url, request("GET /.well-known/databricks-config HTTP/1.1"))
    metadata = json.loads(body_of(answer))
    assert status_of(answer) == 200
    assert metadata["workspace_id"] == emulator.workspace_id
    assert (metadata["cloud"], metadata["host_type"]) == ("Azure", "workspace")
    assert metadata["oidc_endpoint"] == f"{emulator.url}/oidc"


def test_the_workspace_id_survives_a_restart_and_a_reset(start_emulator: Start, tmp_path: Any) -> None:
    state = tmp_path / "lab.json"
    first = start_emulator("--state", state)
    first.control("POST", "reset")
    reported = headers_of(exchange(first.url, request("GET /_emulator/clock HTTP/1.1")))["x-databricks-org-id"]
    first.stop()
    assert first.workspace_id == reported == start_emulator("--state", state).workspace_id


def test_every_response_has_the_workspace_id_in_a_header(emulator: EmulatorProcess) -> None:
    authorization = f"Authorization: Bearer {emulator.admin_token}"
    for path in (f"{SCIM}/Me?excludedAttributes=entitlements", f"{SCIM}/Users/0", "/api/2.0/nothing"):
        answer = exchange(emulator.url, request(f"GET {path} HTTP/1.1", authorization))
        assert int(headers_of(answer)["x-databricks-org-id"]) == int(emulator.workspace_id)


def test_a_request_to_an_unsupported_path_does_not_return_404(emulator: EmulatorProcess) -> None:
    for path in ("/api/2.1/marketplace-provider/listings/7", "/api/2.0/sql/nonsense", "/nothing"):
        status, answer = refused(emulator, "GET", path)
        assert (status, answer["error_code"]) == (501, "NOT_IMPLEMENTED")


def test_every_error_has_one_of_the_platforms_formats(emulator: EmulatorProcess) -> None:
    asked = [("GET", f"{CLUSTERS}/get?cluster_id=x"), ("PUT", f"{CLUSTERS}/get"), ("POST", f"{CLUSTERS}/create")]
    asked += [("GET", "/api/2.0/workspace/get-status?path=/nothing"), ("GET", "/api/2.0/dbfs/get-status?path=/nothing")]
    for method, path in asked:
        _, answer = refused(emulator, method, path, {} if method != "GET" else None)
        assert set(answer) == {"error_code", "message", "details"}
        assert isinstance(answer["error_code"], str) and isinstance(answer["details"], list)
    client = emulator.client()
    with pytest.raises(NotFound):
        client.clusters.permanent_delete("0101-000000-abcd1234")
    with pytest.raises(NotFound):
        client.users.delete("404")


def test_the_status_in_a_scim_error_is_a_string(emulator: EmulatorProcess) -> None:
    status, answer = refused(emulator, "GET", f"{SCIM}/Groups/404")
    assert status == 404
    assert (answer["schemas"], answer["status"]) == ([ERROR_SCHEMA], "404")


def test_a_conflict_has_the_message_that_the_provider_recognises(emulator: EmulatorProcess) -> None:
    user(emulator)
    group(emulator)
    principal = ok(emulator, "POST", f"{SCIM}/ServicePrincipals", {"displayName": "bot"})["applicationId"]
    refusals = [
        refused(emulator, "POST", f"{SCIM}/Users", {"userName": "ana@lab.example"}),
        refused(emulator, "POST", f"{SCIM}/Groups", {"displayName": "group_01"}),
        refused(emulator, "POST", f"{SCIM}/ServicePrincipals", {"applicationId": principal, "displayName": "b"}),
    ]
    words = [
        "User with username ana@lab.example already exists.",
        "Group with name group_01 already exists.",
        f"Service principal with application ID {principal} already exists.",
    ]
    assert refusals == [(409, {"schemas": [ERROR_SCHEMA], "detail": detail, "status": "409"}) for detail in words]
    with pytest.raises(ResourceConflict):
        emulator.client().users.create(user_name="ana@lab.example")


def test_a_missing_cluster_is_recognised_on_every_path(emulator: EmulatorProcess) -> None:
    unknown = "0101-000000-abcd1234"
    sentence = f"Cluster {unknown} does not exist"
    gone = {"error_code": "INVALID_PARAMETER_VALUE", "message": sentence, "details": []}
    assert refused(emulator, "GET", f"{CLUSTERS}/get?cluster_id={unknown}") == (400, gone)
    assert refused(emulator, "GET", f"/api/2.0/libraries/cluster-status?cluster_id={unknown}") == (400, gone)
    status, answer = refused(emulator, "POST", f"{CLUSTERS}/permanent-delete", {"cluster_id": unknown})
    assert (status, answer["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    with pytest.raises(NotFound):
        emulator.client().clusters.get(unknown)


def test_an_empty_entitlement_object_is_not_an_entitlement(emulator: EmulatorProcess) -> None:
    made = user(emulator, entitlements=[{}])
    assert ok(emulator, "GET", f"{SCIM}/Users/{made['id']}?attributes=entitlements").get("entitlements", []) == []
    replaced = patch({"op": "replace", "path": "entitlements", "value": [{}]})
    ok(emulator, "PATCH", f"{SCIM}/Users/{made['id']}", replaced)
    assert ok(emulator, "GET", f"{SCIM}/Users/{made['id']}").get("entitlements", []) == []


def test_active_is_always_returned_and_accepts_the_string_false(emulator: EmulatorProcess) -> None:
    made = user(emulator)
    path = f"{SCIM}/Users/{made['id']}"
    assert (
        ok(emulator, "GET", f"{path}?attributes=userName,displayName,active,externalId,entitlements")["active"] is True
    )
    ok(emulator, "PATCH", path, patch({"op": "replace", "path": "active", "value": [{"value": "false"}]}))
    assert ok(emulator, "GET", f"{path}?attributes=active")["active"] is False


def test_ids_are_returned_even_if_not_requested(emulator: EmulatorProcess) -> None:
    made = ok(emulator, "POST", f"{SCIM}/ServicePrincipals", {"displayName": "bot"})
    query = "attributes=userName,displayName,active,externalId,entitlements"
    read = ok(emulator, "GET", f"{SCIM}/ServicePrincipals/{made['id']}?{query}")
    assert (read["id"], read["applicationId"]) == (made["id"], made["applicationId"])
    listed = ok(emulator, "GET", f"{SCIM}/Groups?attributes=displayName")["Resources"]
    assert all(resource["id"].isdigit() for resource in listed)
    assert {entry.display_name for entry in emulator.client().groups.list(attributes="displayName")} == {
        "admins",
        "users",
    }


def test_a_put_keeps_fields_that_the_provider_does_not_send(emulator: EmulatorProcess) -> None:
    principal = ok(emulator, "POST", f"{SCIM}/ServicePrincipals", {"displayName": "bot"})
    path = f"{SCIM}/ServicePrincipals/{principal['id']}"
    ok(emulator, "PUT", path, {"displayName": "robot", "active": True, "entitlements": [{}]})
    assert ok(emulator, "GET", path)["applicationId"] == principal["applicationId"]

    ana = user(emulator)
    made = group(emulator, "group_01", ana["id"])
    path = f"{SCIM}/Groups/{made['id']}"
    role = "arn:aws:iam::1:instance-profile/x"
    ok(emulator, "PATCH", path, patch({"op": "add", "path": "roles", "value": [{"value": role}]}))
    before = ok(emulator, "GET", f"{path}?attributes=displayName,entitlements,groups,members,externalId")
    assert [member["value"] for member in before["members"]] == [ana["id"]]
    ok(emulator, "PUT", path, {"displayName": "group_1", "members": before["members"], "entitlements": [{}]})
    after = ok(emulator, "GET", path)
    assert (after["displayName"], [role["value"] for role in after["roles"]]) == ("group_1", [role])
    assert [member["value"] for member in after["members"]] == [ana["id"]]


def test_members_have_relative_references(emulator: EmulatorProcess) -> None:
    ana, child = user(emulator), group(emulator, "child")
    bot = ok(emulator, "POST", f"{SCIM}/ServicePrincipals", {"displayName": "bot"})
    group(emulator, "parent", ana["id"], child["id"], bot["id"])
    found = ok(emulator, "GET", f"{SCIM}/Groups?filter=displayName%20eq%20%22parent%22")["Resources"]
    assert [member["$ref"] for member in found[0]["members"]] == [
        f"Users/{ana['id']}",
        f"Groups/{child['id']}",
        f"ServicePrincipals/{bot['id']}",
    ]


def test_paging_through_a_list_skips_nothing_and_terminates(emulator: EmulatorProcess) -> None:
    names = {user(emulator, f"s{number}@lab.example")["userName"] for number in range(5)} | {"admin@lab.example"}
    pages = [ok(emulator, "GET", f"{SCIM}/Users?startIndex={start}&count=4") for start in (1, 5, 7)]
    assert [page["startIndex"] for page in pages] == [1, 5, 7]
    assert [page["totalResults"] for page in pages] == [6, 6, 6]
    assert [len(page.get("Resources", [])) for page in pages] == [4, 2, 0]
    assert {entry.user_name for entry in emulator.client().users.list(count=2)} == names


def test_scim_list_fields_have_the_capitalisation_that_clients_expect(emulator: EmulatorProcess) -> None:
    answer = ok(emulator, "GET", f"{SCIM}/Users")
    assert answer["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]
    assert (len(answer["Resources"]), answer["itemsPerPage"], "resources" in answer) == (1, 1, False)


def test_members_added_concurrently_are_all_added(emulator: EmulatorProcess) -> None:
    made = group(emulator)
    ids = [user(emulator, f"s{number}@lab.example")["id"] for number in range(24)]

    def join(member: str) -> None:
        operation = {"op": "add", "path": "members", "value": [{"value": member}]}
        ok(emulator, "PATCH", f"{SCIM}/Groups/{made['id']}", patch(operation))

    def leave(member: str) -> None:
        operation = {"op": "remove", "path": f'members[value eq "{member}"]'}
        ok(emulator, "PATCH", f"{SCIM}/Groups/{made['id']}", patch(operation))

    def members() -> set[str]:
        found = ok(emulator, "GET", f"{SCIM}/Groups/{made['id']}?attributes=members").get("members", [])
        return {member["value"] for member in found}

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(join, ids))
    assert members() == set(ids)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(leave, ids[::2]))
    assert members() == set(ids[1::2])


def test_the_list_of_pinned_clusters_has_only_pinned_ones(emulator: EmulatorProcess) -> None:
    pinned = cluster(emulator, cluster_name="pinned")
    loose = cluster(emulator, cluster_name="loose")
    ok(emulator, "POST", f"{CLUSTERS}/pin", {"cluster_id": pinned})

    def listed(query: str) -> set[str]:
        found = ok(emulator, "GET", f"{CLUSTERS}/list?{query}").get("clusters", [])
        return {entry["cluster_id"] for entry in found}

    assert listed("filter_by.is_pinned=true&page_size=100") == {pinned}
    assert listed("filter_by.is_pinned=True") == {pinned}
    assert listed("filter_by.is_pinned=false") == {loose}
    assert listed("") == {pinned, loose}


def test_a_pinned_cluster_can_be_deleted_only_after_unpinning(emulator: EmulatorProcess) -> None:
    made = cluster(emulator)
    ok(emulator, "POST", f"{CLUSTERS}/pin", {"cluster_id": made})
    status, answer = refused(emulator, "POST", f"{CLUSTERS}/permanent-delete", {"cluster_id": made})
    assert status == 400
    assert "unpin the cluster first" in answer["message"]
    ok(emulator, "POST", f"{CLUSTERS}/unpin", {"cluster_id": made})
    ok(emulator, "POST", f"{CLUSTERS}/permanent-delete", {"cluster_id": made})
    assert refused(emulator, "GET", f"{CLUSTERS}/get?cluster_id={made}")[0] == 400


def test_num_workers_is_returned_for_fixed_sizes_only(emulator: EmulatorProcess) -> None:
    fixed = cluster_details(emulator, cluster(emulator, num_workers=0))
    body = {**SPEC, "autoscale": {"min_workers": 1, "max_workers": 2}}
    made = ok(emulator, "POST", f"{CLUSTERS}/create", body)["cluster_id"]
    scaled = cluster_details(emulator, made)
    assert (fixed["num_workers"], "autoscale" in fixed) == (0, False)
    autoscale = {"min_workers": 1, "max_workers": 2, "target_workers": 1}
    assert ("num_workers" in scaled, scaled["autoscale"]) == (False, autoscale)


def test_a_cluster_is_returned_with_the_fields_that_were_sent(emulator: EmulatorProcess) -> None:
    sent = {
        **SPEC,
        "num_workers": 1,
        "autotermination_minutes": 0,
        "spark_conf": {"spark.z": "1", "spark.a": "2"},
        "custom_tags": {"origin": "terraform", "lab_group": "group_01"},
        "azure_attributes": {"first_on_demand": 1, "availability": "ON_DEMAND_AZURE", "spot_bid_max_price": -1},
        "workload_type": {"clients": {"jobs": False, "notebooks": True}},
        "data_security_mode": "USER_ISOLATION",
    }
    made = ok(emulator, "POST", f"{CLUSTERS}/create", sent)["cluster_id"]
    read = cluster_details(emulator, made)
    assert {name: read[name] for name in sent} == sent
    assert list(read["spark_conf"]) == ["spark.z", "spark.a"]
    plain = cluster_details(emulator, cluster(emulator))
    invented = {
        "runtime_engine",
        "spark_env_vars",
        "custom_tags",
        "policy_id",
        "single_user_name",
        "workload_type",
        "init_scripts",
        "cluster_log_conf",
        "docker_image",
        "kind",
        "is_single_node",
        "use_ml_runtime",
        "ssh_public_keys",
        "spark_conf",
    }
    assert invented & set(plain) == set()


def test_an_edit_in_the_wrong_state_is_an_invalid_state_error(slow: EmulatorProcess) -> None:
    made = cluster(slow)
    edit = {**SPEC, "cluster_id": made, "num_workers": 2}
    status, answer = refused(slow, "POST", f"{CLUSTERS}/edit", edit)
    assert (status, answer["error_code"]) == (400, "INVALID_STATE")
    slow.control("POST", "clock", {"advance_seconds": 600})
    ok(slow, "POST", f"{CLUSTERS}/edit", edit)
    assert cluster_details(slow, made)["state"] == "RESTARTING"
    slow.control("POST", "clock", {"advance_seconds": 600})
    ok(slow, "POST", f"{CLUSTERS}/resize", {"cluster_id": made, "num_workers": 3})
    assert cluster_details(slow, made)["state"] == "RESIZING"
    assert refused(slow, "POST", f"{CLUSTERS}/edit", edit)[1]["error_code"] == "INVALID_STATE"


def test_state_durations_depend_on_the_clock_not_on_requests(slow: EmulatorProcess) -> None:
    made = cluster(slow)
    assert {cluster_details(slow, made)["state"] for _ in range(20)} == {"PENDING"}
    slow.control("POST", "clock", {"advance_seconds": 600})
    assert cluster_details(slow, made)["state"] == "RUNNING"
    ok(slow, "POST", f"{CLUSTERS}/delete", {"cluster_id": made})
    assert {cluster_details(slow, made)["state"] for _ in range(20)} == {"TERMINATING"}
    slow.control("POST", "clock", {"advance_seconds": 600})
    assert cluster_details(slow, made)["state"] == "TERMINATED"


def test_libraries_are_pending_until_the_cluster_runs(slow: EmulatorProcess) -> None:
    libraries = [
        {"pypi": {"package": "Pandas==2.2.2"}},
        {"maven": {"coordinates": "com.johnsnowlabs.nlp:spark-nlp_2.12:5.3.3", "exclusions": ["a:b"]}},
    ]
    made = cluster(slow)
    ok(slow, "POST", "/api/2.0/libraries/install", {"cluster_id": made, "libraries": libraries})

    def statuses() -> list[tuple[Any, str]]:
        answer = ok(slow, "GET", f"/api/2.0/libraries/cluster-status?cluster_id={made}")
        return [(entry["library"], entry["status"]) for entry in answer.get("library_statuses", [])]

    assert statuses() == [(library, "PENDING") for library in libraries]
    slow.control("POST", "clock", {"advance_seconds": 1200})
    assert statuses() == [(library, "INSTALLED") for library in libraries]
    ok(slow, "POST", "/api/2.0/libraries/uninstall", {"cluster_id": made, "libraries": libraries[:1]})
    assert statuses()[0][1] == "UNINSTALL_ON_RESTART"
    ok(slow, "POST", f"{CLUSTERS}/delete", {"cluster_id": made})
    slow.control("POST", "clock", {"advance_seconds": 1200})
    assert [library for library, _ in statuses()] == libraries[1:]
    ok(slow, "POST", f"{CLUSTERS}/start", {"cluster_id": made})
    slow.control("POST", "clock", {"advance_seconds": 1200})
    assert statuses() == [(libraries[1], "INSTALLED")]


def test_a_policy_definition_is_returned_unchanged(emulator: EmulatorProcess) -> None:
    definition = '{ "node_type_id" :{"type":"fixed",  "value":"Standard_DS3_v2"}}'
    made = ok(emulator, "POST", "/api/2.0/policies/clusters/create", {"name": "lab", "definition": definition})
    read = ok(emulator, "GET", f"/api/2.0/policies/clusters/get?policy_id={made['policy_id']}")
    assert read["definition"] == definition

    families = ok(emulator, "GET", "/api/2.0/policy-families")["policy_families"]
    assert [family["name"] for family in families if family["policy_family_id"] == "personal-vm"] == [
        "Personal Compute"
    ]
    policies = ok(emulator, "GET", "/api/2.0/policies/clusters/list")["policies"]
    (personal,) = [policy for policy in policies if policy["name"] == "Personal Compute"]
    assert personal["is_default"] is True
    overrides = '{"node_type_id": {"type": "forbidden"}}'
    edit = {"policy_id": personal["policy_id"], "name": "Personal Compute", "policy_family_id": "personal-vm"}
    edit["policy_family_definition_overrides"] = overrides
    ok(emulator, "POST", "/api/2.0/policies/clusters/edit", edit)
    read = ok(emulator, "GET", f"/api/2.0/policies/clusters/get?policy_id={personal['policy_id']}")
    assert read["policy_family_definition_overrides"] == overrides
    assert json.loads(read["definition"])["node_type_id"] == {"type": "forbidden"}


def test_object_types_differ_from_their_url_paths(emulator: EmulatorProcess) -> None:
    made = cluster(emulator)
    ok(emulator, "POST", "/api/2.0/workspace/mkdirs", {"path": "/Shared/a"})
    folder = ok(emulator, "GET", "/api/2.0/workspace/get-status?path=/Shared/a")["object_id"]
    asked = {
        f"clusters/{made}": ("cluster", f"/clusters/{made}"),
        f"directories/{folder}": ("directory", f"/directories/{folder}"),
        "authorization/tokens": ("tokens", "/authorization/tokens"),
    }
    for path, (kind, identity) in asked.items():
        answer = ok(emulator, "GET", f"/api/2.0/permissions/{path}")
        assert (answer["object_type"], answer["object_id"]) == (kind, identity)
    status, answer = refused(emulator, "GET", "/api/2.0/permissions/sql/warehouses/1a2b3c4d5e6f7a8b")
    assert answer["error_code"] in ("RESOURCE_DOES_NOT_EXIST", "NOT_IMPLEMENTED")
    assert status == {"RESOURCE_DOES_NOT_EXIST": 404, "NOT_IMPLEMENTED": 501}[answer["error_code"]]


def test_a_put_of_permissions_keeps_inherited_ones(emulator: EmulatorProcess) -> None:
    group(emulator)
    bot = ok(emulator, "POST", f"{SCIM}/ServicePrincipals", {"displayName": "bot"})["applicationId"]
    made = cluster(emulator)
    path = f"/api/2.0/permissions/clusters/{made}"
    grants = [
        {"group_name": "group_01", "permission_level": "CAN_ATTACH_TO"},
        {"group_name": "group_01", "permission_level": "CAN_RESTART"},
        {"user_name": bot, "permission_level": "CAN_MANAGE"},
    ]
    ok(emulator, "PUT", path, {"access_control_list": grants})

    def entries() -> dict[str, list[tuple[str, bool]]]:
        found = {}
        for entry in ok(emulator, "GET", path)["access_control_list"]:
            name = entry.get("group_name") or entry.get("user_name") or entry.get("service_principal_name")
            found[name] = [(given["permission_level"], given["inherited"]) for given in entry["all_permissions"]]
        return found

    read = entries()
    assert {level for level, inherited in read["group_01"] if not inherited} >= {"CAN_RESTART"}
    assert read[bot] == [("CAN_MANAGE", False)]
    assert read["admins"] == [("CAN_MANAGE", True)]
    ok(emulator, "PUT", path, {})
    assert entries() == {"admins": [("CAN_MANAGE", True)]}


def test_an_import_fails_without_its_parent_folder(emulator: EmulatorProcess) -> None:
    content = base64.b64encode(b"print(1)").decode()
    body = {"path": "/Shared/lab/a", "content": content, "language": "PYTHON", "format": "SOURCE"}
    status, answer = refused(emulator, "POST", "/api/2.0/workspace/import", body)
    assert (status, answer["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert answer["message"] == "The parent folder (/Shared/lab) does not exist."
    status, answer = refused(emulator, "GET", "/api/2.0/workspace/get-status?path=/Shared/lab")
    assert (status, answer["message"]) == (404, "Path (/Shared/lab) doesn't exist.")

    ok(emulator, "POST", "/api/2.0/workspace/mkdirs", {"path": "/Shared/lab"})
    made = ok(emulator, "POST", "/api/2.0/workspace/import", body)["object_id"]
    assert isinstance(made, int)
    ok(emulator, "POST", "/api/2.0/workspace/import", {**body, "overwrite": True})
    assert ok(emulator, "GET", "/api/2.0/workspace/get-status?path=/Shared/lab/a")["object_id"] == made

    client: WorkspaceClient = emulator.client()
    client.workspace.upload("/Shared/lab/b.txt", b"two", format=ImportFormat.AUTO, overwrite=True)
    assert client.workspace.download("/Shared/lab/b.txt").read() == b"two"


def test_a_path_is_returned_as_it_was_requested(emulator: EmulatorProcess) -> None:
    ok(emulator, "POST", "/api/2.0/workspace/mkdirs", {"path": "/Shared/Übung A"})
    for path in ("/Shared/Übung A", "/Workspace/Shared/Übung A"):
        quoted = path.encode().hex("%")
        answer = ok(emulator, "GET", f"/api/2.0/workspace/get-status?path=%{quoted}")
        assert (answer["path"], answer["object_type"]) == (path, "DIRECTORY")
    assert refused(emulator, "GET", "/api/2.0/workspace/get-status?path=/shared")[0] == 404


def test_every_warehouse_has_a_data_source(emulator: EmulatorProcess) -> None:
    emulator.control("POST", "drift", {"kind": "warehouse", "target": "Another Warehouse"})
    warehouses = ok(emulator, "GET", "/api/2.0/sql/warehouses")["warehouses"]
    sources = ok(emulator, "GET", "/api/2.0/preview/sql/data_sources")
    assert [warehouse["name"] for warehouse in warehouses] == ["Serverless Starter Warehouse", "Another Warehouse"]
    assert [source["warehouse_id"] for source in sources] == [warehouse["id"] for warehouse in warehouses]


def test_all_events_can_be_paged_through_with_both_sdks(emulator: EmulatorProcess) -> None:
    made = cluster(emulator)
    for _ in range(12):
        ok(emulator, "POST", f"{CLUSTERS}/delete", {"cluster_id": made})
        ok(emulator, "POST", f"{CLUSTERS}/start", {"cluster_id": made})
    query = {"cluster_id": made, "order": "ASC", "event_types": ["STARTING", "TERMINATING"], "limit": 5}
    first = ok(emulator, "POST", f"{CLUSTERS}/events", query)
    assert len(first["events"]) == 5
    assert {name: first["next_page"][name] for name in query} == query
    assert (first["next_page"]["offset"], first["total_count"]) == (5, 24)

    client = emulator.client()
    kinds = [EventType.STARTING, EventType.TERMINATING]
    seen = list(client.clusters.events(made, order=GetEventsOrder.ASC, event_types=kinds, limit=5))
    assert [event.type for event in seen] == [EventType.TERMINATING, EventType.STARTING] * 12
    for node in client.clusters.list_node_types().node_types or []:
        assert None not in (node.num_cores, node.memory_mb, node.num_gpus, node.is_deprecated)
    assert client.clusters.select_node_type(min_cores=4)

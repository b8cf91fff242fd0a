"""Random bodies in requests to workspace objects, DBFS, permissions, policies and pools cause no internal errors."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from example_counts import exactly_examples
from in_process_client import InProcessClient

CALLS = {
    "/api/2.0/workspace/mkdirs": ("path",),
    "/api/2.0/workspace/delete": ("path", "recursive"),
    "/api/2.0/workspace/import": ("path", "content", "format", "language", "overwrite"),
    "/api/2.0/dbfs/put": ("path", "contents", "overwrite"),
    "/api/2.0/dbfs/create": ("path", "overwrite"),
    "/api/2.0/dbfs/add-block": ("handle", "data"),
    "/api/2.0/dbfs/close": ("handle",),
    "/api/2.0/dbfs/move": ("source_path", "destination_path"),
    "/api/2.0/policies/clusters/create": ("name", "definition", "policy_family_id", "libraries", "description"),
    "/api/2.0/policies/clusters/edit": ("policy_id", "name", "definition", "max_clusters_per_user"),
    "/api/2.0/policies/clusters/delete": ("policy_id",),
    "/api/2.0/instance-pools/create": (
        "instance_pool_name",
        "node_type_id",
        "azure_attributes",
        "custom_tags",
        "min_idle_instances",
    ),
    "/api/2.0/instance-pools/edit": ("instance_pool_id", "instance_pool_name"),
    "/api/2.1/clusters/create": ("cluster_name", "policy_id", "spark_version"),
}
LIKELY: dict[str, Any] = {
    "path": "/Shared/x",
    "name": "p",
    "definition": '{"a.b":{"type":"range","minValue":"x"},"c":{"type":"fixed","value":{}}}',
    "format": "AUTO",
    "content": "eyJjZWxscyI6WzFdfQ==",
    "instance_pool_name": "p",
    "node_type_id": "Standard_DS3_v2",
    "spark_version": "15.4.x-scala2.12",
    "source_path": "/tmp",
    "destination_path": "/user/x",
}
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**20)
    | st.floats()
    | st.text(max_size=6)
    | st.just("/Shared/n.ipynb"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
TREE = InProcessClient(transition_seconds=0)


@exactly_examples(400)
@given(st.data())
def test_random_bodies_are_accepted_or_rejected(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(CALLS)))
    fields = st.fixed_dictionaries({}, optional={name: st.just(LIKELY.get(name)) | JUNK for name in CALLS[path]})
    status, answer = TREE.request("POST", path, data.draw(fields))
    assert status in (200, 400, 403, 404, 503), answer
    json.dumps(answer)
    for listed in ("instance-pools/list", "policies/clusters/list", "workspace/list?path=/Shared", "dbfs/list?path=/"):
        assert TREE.request("GET", f"/api/2.0/{listed}")[0] == 200


@exactly_examples(200)
@given(st.dictionaries(st.sampled_from(["access_control_list", "x"]), st.lists(JUNK, max_size=2) | JUNK))
def test_random_permissions_are_set_or_rejected(body: dict[str, Any]) -> None:
    for place in ("directories/0", "authorization/passwords"):
        status, answer = TREE.request("PATCH", f"/api/2.0/permissions/{place}", body)
        assert status in (200, 400, 404), answer


@exactly_examples(200)
@given(JUNK, JUNK)
def test_random_policy_rules_are_stored_or_rejected(rule: Any, value: Any) -> None:
    text = json.dumps({"node_type_id": rule, "autoscale.max_workers": {"type": "range", "minValue": value}})
    made = TREE.request("POST", "/api/2.0/policies/clusters/create", {"name": "n", "definition": text})
    if made[0] == 200:
        spec = {"policy_id": made[1]["policy_id"], "autoscale": value, "cluster_log_conf": value, "custom_tags": value}
        assert TREE.request("POST", "/api/2.1/clusters/create", spec)[0] in (200, 400)
        assert TREE.request("POST", "/api/2.0/policies/clusters/delete", made[1])[0] == 200

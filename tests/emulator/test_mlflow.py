"""MLflow in the emulator: experiments as objects in folders, the workspace's registry of models, permissions."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.state.state import dump_json, load_json
from in_process_client import InProcessClient

EXPERIMENTS, MODELS = "/api/2.0/mlflow/experiments", "/api/2.0/mlflow/registered-models"
DATABRICKS_MODEL = "/api/2.0/mlflow/databricks/registered-models/get"
ACLS = "/api/2.0/permissions"


def experiment(lab: InProcessClient, name: str = "/Shared/trials", **fields: Any) -> str:
    status, created = lab.request("POST", f"{EXPERIMENTS}/create", {"name": name} | fields)
    assert status == 200, created
    return str(created["experiment_id"])


def shown(lab: InProcessClient, id: str, caller: Any = None) -> tuple[int, Any]:
    return lab.request("GET", f"{EXPERIMENTS}/get?experiment_id={id}", caller=caller)


def levels(lab: InProcessClient, path: str) -> dict[str, list[tuple[str, bool]]]:
    entries = lab.request("GET", f"{ACLS}/{path}")[1]["access_control_list"]
    return {
        entry.get("group_name") or entry.get("user_name"): [
            (one["permission_level"], one["inherited"]) for one in entry["all_permissions"]
        ]
        for entry in entries
    }


def test_an_experiment_is_an_object_in_its_folder(lab: InProcessClient) -> None:
    id = experiment(lab, "/Workspace/Shared/trials/", tags=[{"key": "course", "value": "7"}])
    found = shown(lab, id)[1]["experiment"]
    assert found == {
        "experiment_id": id,
        "name": "/Shared/trials",
        "artifact_location": f"dbfs:/databricks/mlflow-tracking/{id}",
        "lifecycle_stage": "active",
        "creation_time": found["creation_time"],
        "last_update_time": found["creation_time"],
        "tags": [{"key": "course", "value": "7"}],
    }
    [entry] = lab.request("GET", "/api/2.0/workspace/list?path=/Shared")[1]["objects"]
    assert (entry["object_type"], entry["path"], str(entry["object_id"])) == ("MLFLOW_EXPERIMENT", found["name"], id)
    lab.workspace.state = load_json(dump_json(lab.workspace.state))
    assert lab.request("GET", f"{EXPERIMENTS}/get-by-name?experiment_name=/Shared/trials")[1]["experiment"] == found


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"name": "/None/x"}, 404, "Parent directory /None does not exist."),
        ({"name": "/Shared"}, 400, "Node named 'Shared' already exists"),
        ({"name": "/"}, 400, "Node named '/' already exists"),
        ({"name": "x"}, 400, "Path (x) doesn't start with '/'"),
        ({"tags": [{"key": ""}]}, 400, "tags must be a list of objects with the texts key and value"),
        ({"artifact_location": 7}, 400, "artifact_location must be a string"),
    ],
)
def test_an_invalid_experiment_is_rejected(
    lab: InProcessClient, fields: dict[str, Any], status: int, message: str
) -> None:
    found, error = lab.request("POST", f"{EXPERIMENTS}/create", {"name": "/Shared/x"} | fields)
    assert (found, error["message"]) == (status, message)
    assert lab.request("GET", "/api/2.0/workspace/list?path=/Shared") == (200, {})


def test_an_experiment_is_renamed_tagged_and_deleted(lab: InProcessClient) -> None:
    id, home = experiment(lab), f"/Users/{lab.workspace.administrator.name}"
    assert lab.request("POST", f"{EXPERIMENTS}/update", {"experiment_id": id, "new_name": f"{home}/mine"}) == (200, {})
    lab.request("POST", f"{EXPERIMENTS}/set-experiment-tag", {"experiment_id": id, "key": "a", "value": "b"})
    found = shown(lab, id)[1]["experiment"]
    assert (found["name"], found["tags"]) == (f"{home}/mine", [{"key": "a", "value": "b"}])
    assert lab.request("POST", f"{EXPERIMENTS}/delete", {"experiment_id": id}) == (200, {})
    assert shown(lab, id) == (200, {"experiment": found | {"lifecycle_stage": "deleted"}})
    assert lab.request("GET", f"/api/2.0/workspace/get-status?path={home}/mine")[0] == 404
    assert lab.request("POST", f"{EXPERIMENTS}/delete", {"experiment_id": id})[0] == 404
    assert [shown(lab, other)[0] for other in ("7", "x", "²")] == [404, 404, 404]


def test_permissions_decide_who_reads_and_changes_an_experiment(lab: InProcessClient) -> None:
    student = lab.user("s@lab")
    lab.request("POST", "/api/2.0/workspace/mkdirs", {"path": "/course"})
    id = experiment(lab, "/course/trials")

    def statuses() -> list[int]:
        tag = {"experiment_id": id, "key": "a"}
        requests = (("GET", f"get?experiment_id={id}", None), ("POST", "set-experiment-tag", tag))
        renamed = ("POST", "update", {"experiment_id": id, "new_name": "/course/trials"})
        return [
            lab.request(method, f"{EXPERIMENTS}/{path}", body, caller=student)[0]
            for method, path, body in (*requests, renamed)
        ]

    assert statuses() == [403, 403, 403]
    for level, expected in (("CAN_READ", [200, 403, 403]), ("CAN_EDIT", [200, 200, 403]), ("CAN_MANAGE", [200] * 3)):
        grant = {"access_control_list": [{"user_name": "s@lab", "permission_level": level}]}
        assert lab.request("PUT", f"{ACLS}/experiments/{id}", grant)[1]["object_type"] == "mlflowExperiment"
        assert statuses() == expected
    assert levels(lab, f"experiments/{id}") == {
        "s@lab": [("CAN_MANAGE", False)],
        lab.workspace.administrator.name: [("CAN_MANAGE", True)],
        "admins": [("CAN_MANAGE", True)],
    }


def test_a_registered_model_has_an_id_and_the_caller_s_level(lab: InProcessClient) -> None:
    body = {"name": "iris", "description": "d", "tags": [{"key": "a", "value": "b"}]}
    status, created = lab.request("POST", f"{MODELS}/create", body)
    model = created["registered_model"]
    assert (status, model) == (
        200,
        body
        | {
            "user_id": lab.workspace.administrator.name,
            "creation_timestamp": model["creation_timestamp"],
            "last_updated_timestamp": model["creation_timestamp"],
        },
    )
    found = lab.request("GET", f"{DATABRICKS_MODEL}?name=iris")[1]["registered_model_databricks"]
    assert found == model | {"id": found["id"], "permission_level": "CAN_MANAGE"}
    assert lab.request("POST", f"{MODELS}/create", body)[1]["error_code"] == "RESOURCE_ALREADY_EXISTS"
    assert lab.request("POST", f"{MODELS}/create", {"name": "a/b"})[0] == 400


def test_a_registered_model_is_changed_and_deleted(lab: InProcessClient) -> None:
    lab.request("POST", f"{MODELS}/create", {"name": "iris"})
    changed = lab.request("PATCH", f"{MODELS}/update", {"name": "iris", "description": "new"})[1]
    assert changed["registered_model"]["description"] == "new"
    lab.request("POST", f"{MODELS}/rename", {"name": "iris", "new_name": "setosa"})
    lab.workspace.state = load_json(dump_json(lab.workspace.state))
    assert [one["name"] for one in lab.request("GET", f"{MODELS}/list")[1]["registered_models"]] == ["setosa"]
    assert lab.request("DELETE", f"{MODELS}/delete?name=setosa") == (200, {})
    assert lab.request("GET", f"{DATABRICKS_MODEL}?name=setosa")[0] == 404


def test_models_inherit_the_permissions_on_the_registry(lab: InProcessClient) -> None:
    student = lab.user("s@lab")
    lab.request("POST", f"{MODELS}/create", {"name": "iris"})
    id = lab.request("GET", f"{DATABRICKS_MODEL}?name=iris")[1]["registered_model_databricks"]["id"]
    assert levels(lab, "registered-models/root") == {"admins": [("CAN_MANAGE", False)]}
    assert lab.request("GET", f"{DATABRICKS_MODEL}?name=iris", caller=student)[0] == 403
    grant = {"access_control_list": [{"user_name": "s@lab", "permission_level": "CAN_EDIT"}]}
    assert lab.request("PUT", f"{ACLS}/registered-models/root", grant)[0] == 400
    assert lab.request("PATCH", f"{ACLS}/registered-models/root", grant)[0] == 200
    found = lab.request("GET", f"{DATABRICKS_MODEL}?name=iris", caller=student)[1]["registered_model_databricks"]
    assert found["permission_level"] == "CAN_EDIT"
    assert lab.request("DELETE", f"{MODELS}/delete?name=iris", caller=student)[0] == 403
    administrator = lab.workspace.administrator.name
    assert levels(lab, f"registered-models/{id}") == {
        administrator: [("CAN_MANAGE", False)],
        "s@lab": [("CAN_EDIT", True)],
        "admins": [("CAN_MANAGE", True)],
    }

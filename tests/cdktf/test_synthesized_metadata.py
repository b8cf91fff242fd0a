"""The framework's metadata in a synthesized stack."""

import json

from synthesized.metadata import without_resource_metadata


def test_only_resources_and_data_sources_lose_their_metadata() -> None:
    metadata = {"metadata": {"path": "94290-2026w-demo/א/cluster", "uniqueId": "cluster_01"}}
    policy = {"definition": '{"//": {"metadata": "of the user"}}'}
    text = json.dumps(
        {
            "//": {"metadata": {"stackName": "94290-2026w-demo"}, "outputs": {}},
            "data": {"external": {"workspace": {"//": metadata, "program": ["א"]}}},
            "resource": {
                "databricks_cluster": {"cluster_01": {"//": metadata, "spark_conf": {"//": "kept"}}},
                "p": {"q": policy},
            },
        }
    )

    assert json.loads(without_resource_metadata(text)) == {
        "//": {"metadata": {"stackName": "94290-2026w-demo"}, "outputs": {}},
        "data": {"external": {"workspace": {"program": ["א"]}}},
        "resource": {"databricks_cluster": {"cluster_01": {"spark_conf": {"//": "kept"}}}, "p": {"q": policy}},
    }


def test_a_stack_without_data_sources_keeps_its_text() -> None:
    text = json.dumps({"resource": {"databricks_group": {"א": {"display_name": "א"}}}}, indent=2, ensure_ascii=False)

    assert without_resource_metadata(text) == text

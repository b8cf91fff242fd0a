"""Evaluation of policy rules on cluster definitions."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.policies.evaluation import evaluate, parse_attribute_path, validate_definition

SPEC: dict[str, Any] = {
    "node_type_id": "Standard_DS4_v2",
    "num_workers": 3,
    "spark_conf": {"spark.speculation": "true", "spark.extra": "1"},
    "custom_tags": {"team": "a", "Cost": "7"},
    "init_scripts": [{"volumes": {"destination": "/Volumes/a/b"}}, {"volumes": {"destination": "/Volumes/evil"}}],
}


def complaints(path: str, rule: dict[str, Any], spec: dict[str, Any] | None = None) -> list[str]:
    return evaluate({path: rule}, SPEC if spec is None else spec, use_defaults=False)[1]


@pytest.mark.parametrize(
    ("path", "rule", "problem"),
    [
        ("node_type_id", {"type": "fixed", "value": "Standard_DS3_v2"}, 'be Standard_DS3_v2 (is "Standard_DS4_v2")'),
        ("node_type_id", {"type": "forbidden"}, 'not be present (is "Standard_DS4_v2")'),
        ("node_type_id", {"type": "allowlist", "values": ["a", "b"]}, 'be one of a, b (is "Standard_DS4_v2")'),
        ("num_workers", {"type": "blocklist", "values": ["3"]}, 'not be one of 3 (is "3")'),
        ("num_workers", {"type": "range", "maxValue": 2}, 'be at most 2 (is "3")'),
        ("num_workers", {"type": "range", "minValue": 4}, 'be at least 4 (is "3")'),
        ("node_type_id", {"type": "range", "minValue": 4}, 'be a number (is "Standard_DS4_v2")'),
        ("custom_tags.team", {"type": "regex", "pattern": "[b-z]+"}, 'match [b-z]+ (is "a")'),
    ],
)
def test_a_value_that_violates_a_rule_is_reported(path: str, rule: dict[str, Any], problem: str) -> None:
    assert complaints(path, rule) == [f"Validation failed for {path}, the value must {problem}"]


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("node_type_id", {"type": "fixed", "value": "Standard_DS4_v2"}),
        ("instance_pool_id", {"type": "forbidden"}),
        ("num_workers", {"type": "allowlist", "values": [1, 3]}),
        ("num_workers", {"type": "range", "minValue": 3, "maxValue": 3}),
        ("spark_conf.spark.speculation", {"type": "fixed", "value": True}),
        ("custom_tags.team", {"type": "regex", "pattern": "[a-z]"}),
        ("autotermination_minutes", {"type": "range", "maxValue": 20, "isOptional": True}),
        ("cluster_type", {"type": "fixed", "value": "all-purpose"}),
        ("dbus_per_hour", {"type": "range", "maxValue": 1}),
    ],
)
def test_a_value_that_a_rule_allows_is_unchanged(path: str, rule: dict[str, Any]) -> None:
    assert evaluate({path: rule}, SPEC, use_defaults=False) == (SPEC, [])


def test_a_rule_requires_its_attribute() -> None:
    rules: dict[str, dict[str, Any]] = {
        "spark_version": {"type": "unlimited"},
        "custom_tags.owner": {"type": "unlimited"},
        "autoscale.max_workers": {"type": "range", "maxValue": 4},
    }
    assert evaluate(rules, SPEC, use_defaults=False)[1] == [
        "Validation failed for spark_version, the value must be present",
        "Validation failed for custom_tags, owner must be present",
    ]


def test_fixed_values_are_set() -> None:
    rules: dict[str, dict[str, Any]] = {
        "autoscale.max_workers": {"type": "fixed", "value": 4},
        "spark_conf.spark.master": {"type": "fixed", "value": True},
        "init_scripts.0.workspace.destination": {"type": "fixed", "value": "/Shared/x.sh"},
        "custom_tags.maybe": {"type": "fixed", "value": "x", "isOptional": True},
        "cluster_log_conf.type": {"type": "fixed", "value": "VOLUMES"},
        "cluster_log_conf.path": {"type": "fixed", "value": "/Volumes/logs"},
    }
    assert evaluate(rules, {}, use_defaults=False) == (
        {
            "autoscale": {"max_workers": 4},
            "spark_conf": {"spark.master": "true"},
            "init_scripts": [{"workspace": {"destination": "/Shared/x.sh"}}],
            "cluster_log_conf": {"volumes": {"destination": "/Volumes/logs"}},
        },
        [],
    )


def test_defaults_are_filled_in_only_on_request() -> None:
    rules = {"autotermination_minutes": {"type": "range", "maxValue": 60, "defaultValue": 30, "isOptional": True}}
    assert evaluate(rules, {}, use_defaults=False) == ({}, [])
    assert evaluate(rules, {}, use_defaults=True) == ({"autotermination_minutes": 30}, [])


def test_a_wildcard_applies_to_elements_and_to_keys_without_a_rule() -> None:
    trusted = {"type": "regex", "pattern": "/Volumes/a/.*"}
    assert complaints("init_scripts.*.volumes.destination", trusted) == [
        "Validation failed for init_scripts.1.volumes.destination, "
        'the value must match /Volumes/a/.* (is "/Volumes/evil")'
    ]
    rules = {"custom_tags.*": {"type": "forbidden"}, "custom_tags.team": {"type": "unlimited"}}
    assert evaluate(rules, SPEC, use_defaults=False)[1] == [
        'Validation failed for custom_tags.Cost, the value must not be present (is "7")'
    ]


def test_the_client_s_own_definition_is_never_changed() -> None:
    spec: dict[str, Any] = {"custom_tags": {"team": "a"}}
    evaluate({"custom_tags.origin": {"type": "fixed", "value": "lab"}}, spec, use_defaults=False)
    assert spec == {"custom_tags": {"team": "a"}}


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("spark_conf.spark.hadoop.x", ("spark_conf", "spark.hadoop.x")),
        ("custom_tags.*", ("custom_tags", "*")),
        ("autoscale.max_workers", ("autoscale", "max_workers")),
        ("init_scripts.*.s3.region", ("init_scripts", "*", "s3", "region")),
    ],
)
def test_the_path_after_a_map_is_one_key(path: str, split: tuple[str, ...]) -> None:
    assert parse_attribute_path(path) == split


def test_an_invalid_definition_is_reported_rule_by_rule() -> None:
    wrong = {
        "a": {"type": "unknown"},
        "b": {"type": "fixed"},
        "c": {"type": "regex", "pattern": "("},
        "d": {"type": "allowlist", "values": "x"},
        "e": "x",
    }
    assert [problem.split(" ")[0] for problem in validate_definition(wrong)] == ["a", "b", "c", "d", "e"]
    assert validate_definition([]) == ["the definition must be a JSON object"]
    assert validate_definition({"b": {"type": "fixed", "value": 1, "hidden": True}}) == []

"""The guard: verifies that the workspace is the expected one and collects warnings about it. Read-only."""

import json
from collections.abc import Mapping

from labkit.workspace.choice import WorkspaceChoice
from labkit.workspace.expected import mismatch
from preflight.facts import collect_facts, identify, light_client
from preflight.identity import GuardError, target_expectation
from preflight.warnings import (
    account_group_conflict,
    course_file_edited,
    missing_principals,
    open_to_everybody,
    unguarded,
    would_restart,
)


def inspect_workspace(query: Mapping[str, str], choice: WorkspaceChoice, *, warns: bool = True) -> dict[str, str]:
    """Return the live workspace, and a dict of warnings with the keys `guard_query.WARNINGS`; all empty unless `warns`.

    `query` is the result of `guard_query.guard_query`. Raise GuardError if nothing may be planned in the workspace.
    """
    client = light_client(choice)
    identity = identify(client)
    expectation = target_expectation(query["target"], query["expected_host"], query["expected_workspace_id"])
    if problem := mismatch(identity, expectation):
        raise GuardError(problem)

    clusters = json.loads(query["clusters"])
    facts = collect_facts(client, clusters=list(clusters), course_file=query["course_file"], only_groups=not warns)
    if problem := account_group_conflict(json.loads(query["group_names"]), facts.account_groups):
        raise GuardError(problem)
    # A stack that an earlier version synthesized has no such key.
    principals = json.loads(query.get("principals", "[]")) if warns and "groups" not in facts.unread else ()
    if problem := missing_principals(principals, facts.account_groups):
        raise GuardError(problem)
    answer = {"host": identity.host, "workspace_id": identity.workspace_id, "caller": identity.caller}
    if not warns:
        return answer | {"unguarded": "", "open_to_everybody": "", "would_restart": "", "course_file_edited": ""}
    return answer | {
        "unguarded": unguarded(
            target=query["target"],
            is_checked=expectation.is_set,
            host=identity.host,
            workspace_id=identity.workspace_id,
            caller=identity.caller,
        ),
        "open_to_everybody": open_to_everybody(
            entitlements=facts.everybody_entitlements,
            warehouses=facts.open_warehouses,
            policies=facts.open_policies,
            pools=facts.open_pools,
            has_metastore=facts.has_metastore,
            unread=facts.unread,
            sql_access=query["sql_access"] == "true",
            closes_personal_compute=query["closes_personal_compute"] == "true",
        ),
        "would_restart": would_restart(facts.running, tags=clusters, settings=json.loads(query["cluster_settings"])),
        "course_file_edited": course_file_edited(
            facts.course_file, path=query["course_file"], expected_sha256=query["course_file_sha256"]
        ),
    }

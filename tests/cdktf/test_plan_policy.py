"""What a saved plan may change without a person."""

from __future__ import annotations

from typing import Any

import pytest

from nightly.plan_policy import Decision, PlannedChange, change_lines, decide


def entry(address: str, *actions: str, **change: Any) -> dict[str, Any]:
    """A resource in a plan, as `terraform show -json` prints it."""
    before: dict[str, Any] | None = None if actions == ("create",) else {}
    changed = {"actions": list(actions), "before": before, **change}
    return {"address": address, "type": address.partition(".")[0], "change": changed}


def plan(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"format_version": "1.2", "resource_changes": list(entries), **more}


ACCOUNT = entry("databricks_user.student_a", "create")
JOIN = entry("databricks_group_member.group_01_a", "create")
UNCHANGED = [entry(f"databricks_group_member.group_01_s{number}", "no-op") for number in range(18)]
PARENTS = [entry(f"databricks_group_member.all_student_groups_group_0{number}", "no-op") for number in range(1, 9)]
READ = entry("data.external.restricted", "read")


def removals(count: int) -> list[dict[str, Any]]:
    return [entry(f"databricks_group_member.group_02_s{number}", "delete") for number in range(count)]


def obstacles(mode: Any, *entries: dict[str, Any], **more: Any) -> tuple[str, ...]:
    return decide(plan(*entries, **more), mode, max_removed_percent=20).obstacles


def test_new_accounts_and_memberships_are_applied_as_joins():
    decision = decide(plan(READ, *UNCHANGED, ACCOUNT, JOIN), "joins", max_removed_percent=20)
    changes = (
        PlannedChange("databricks_user.student_a", "databricks_user", ("create",)),
        PlannedChange("databricks_group_member.group_01_a", "databricks_group_member", ("create",)),
    )
    assert decision == Decision(changes, ())
    assert decision.is_applicable
    assert list(change_lines(changes)) == [
        "  create databricks_user.student_a",
        "  create databricks_group_member.group_01_a",
    ]


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (entry("databricks_group.group_31", "create"), "create databricks_group (1)"),
        (entry("databricks_cluster.cluster_31", "create"), "create databricks_cluster (1)"),
        (entry("databricks_workspace_file.course_file", "update"), "change databricks_workspace_file (1)"),
        (entry("databricks_user.student_b", "delete"), "delete databricks_user (1)"),
        (entry("databricks_user.student_b", "update"), "change databricks_user (1)"),
        (entry("databricks_user.student_b", "delete", "create"), "replace databricks_user (1)"),
        (entry("databricks_user.student_b", "forget"), "forget databricks_user (1)"),
        (entry("databricks_user.student_b", "create", importing={"id": "7"}), "create adopted (1)"),
        ({**entry("databricks_user.student_b", "no-op"), "previous_address": "databricks_user.b"}, "no-op adopted (1)"),
        (entry("databricks_group_member.all_student_groups_group_02", "delete"), "delete databricks_group_member (1)"),
    ],
)
@pytest.mark.parametrize("mode", ["joins", "all"])
def test_a_plan_with_any_other_action_waits(mode, other, kind):
    what = "creates accounts and memberships" if mode == "joins" else "creates accounts and changes memberships"
    sentence = f'the plan does more than apply = "{mode}" permits, which {what}: {kind}'
    assert obstacles(mode, *UNCHANGED, ACCOUNT, JOIN, other) == (sentence,)


def test_removed_memberships_are_applied_only_with_all():
    assert obstacles("all", *UNCHANGED, *removals(1), JOIN) == ()
    assert obstacles("joins", *UNCHANGED, *removals(1), JOIN) == (
        'the plan does more than apply = "joins" permits, which creates accounts and memberships: '
        "delete databricks_group_member (1)",
    )


def test_a_mass_of_removed_memberships_waits():
    # The memberships of the groups themselves do not count.
    assert obstacles("all", *UNCHANGED, *PARENTS, *removals(4)) == ()
    assert obstacles("all", *UNCHANGED, *PARENTS, *removals(5)) == (
        "5 of 23 memberships would be removed, more than 20 percent",
    )
    assert obstacles("all", *removals(1)) == ()


def test_nothing_is_applied_by_default():
    assert obstacles("nothing", JOIN) == ('apply is "nothing" under [roster] in lab.toml',)
    assert not decide(plan(READ, *UNCHANGED), "all", max_removed_percent=20).is_applicable


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"format_version": "2.0"}, "the plan has an unknown format"),
        ({"errored": True}, "the plan is incomplete"),
        ({"deferred_changes": [{"reason": "provider_config_unknown"}]}, "the plan defers changes"),
    ],
)
def test_a_plan_that_is_not_fully_known_waits(more, sentence):
    assert obstacles("joins", JOIN, **more) == (sentence,)


@pytest.mark.parametrize("document", [{}, {"resource_changes": [{}]}, {"resource_changes": [{"change": None}]}])
def test_a_plan_in_an_unknown_format_waits(document):
    assert decide(document, "all", max_removed_percent=20) == Decision((), ("the plan has an unknown format",))


def test_a_long_plan_is_shown_in_part():
    changes = decide(plan(*removals(20)), "all", max_removed_percent=100).changes
    assert len(list(change_lines(changes))) == 13
    assert list(change_lines(changes))[-1] == "  … and 8 more"

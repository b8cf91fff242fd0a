"""Terraform's output under cdktf-cli, as the demo parses and shows it."""

from collections import Counter

import pytest

from terraform_output import Message, Progress, counted, plain_line

# Output of Terraform 1.11 under cdktf-cli 0.21: the first line of a batch starts with the stack's name.
DEPLOY = """\
lab  Initializing the backend...
lab  databricks_cluster.cluster_05 (cluster_05/cluster): Refreshing state... [id=0101-1]
     Terraform will perform the following actions:

       # databricks_cluster.cluster_05 (cluster_05/cluster) will be updated in-place
       # databricks_group_member.student (groups/student)["group_01/a@x.example"] will be created
       # databricks_group.group_05 must be replaced
       # databricks_user.student (accounts/managed)["b@x.example"] will be destroyed
     Plan: 2 to add, 1 to change, 2 to destroy.
lab  databricks_user.student (accounts/managed)["b@x.example"]: Destroying... [id=7]
     databricks_user.student (accounts/managed)["b@x.example"]: Destruction complete after 0s
     databricks_cluster.cluster_05 (cluster_05/cluster): Still modifying... [id=0101-1, 10s elapsed]
     databricks_cluster.cluster_05 (cluster_05/cluster): Modifications complete after 11s [id=0101-1]
lab  databricks_group_member.student (groups/student)["group_01/a@x.example"]: Creation complete after 1s [id=1|2]
"""
MESSAGES = """\
lab  Warning: Check block assertion failed

       on cdk.tf.json line 46, in check.open_to_everybody.assert[0]:
       46:           "condition": "${data.external.workspace (workspace/facts).result.open == \\"\\"}",
         ├────────────────
         │ data.external.workspace (workspace/facts).result.open is "The group users has it."

     The group users has
     databricks-sql-access.
lab  Apply complete! Resources: 5 added, 1 changed, 12 destroyed.
lab  Error: cannot create user: taken

       with databricks_user.student["a@x.example"],
       on cdk.tf.json line 9, in resource.databricks_user.student:
        9:       }

     User with username a@x.example already exists
"""


def followed(text: str) -> Progress:
    progress = Progress("lab")
    for line in text.splitlines():
        progress.feed(line)
    return progress


def test_a_plan_is_parsed_into_one_action_per_address():
    assert followed(DEPLOY).planned == {
        "databricks_cluster.cluster_05": "change",
        'databricks_group_member.student["group_01/a@x.example"]': "create",
        "databricks_group.group_05": "replace",
        'databricks_user.student["b@x.example"]': "destroy",
    }


def test_only_finished_actions_are_counted_by_kind():
    progress = followed(DEPLOY)
    assert (progress.finished, progress.total, progress.read, progress.stage) == (3, 5, 1, "3 of 5")
    assert progress.done == Counter(account=1, cluster=1, membership=1)
    assert progress.latest == 'databricks_group_member.student["group_01/a@x.example"]'


def test_warnings_and_errors_keep_their_explanation_without_the_location():
    messages = followed(MESSAGES).messages
    assert messages == [
        Message("Warning: Check block assertion failed", "The group users has databricks-sql-access."),
        Message("Error: cannot create user: taken", "User with username a@x.example already exists"),
    ]
    assert str(messages[0]) == "Warning: The group users has databricks-sql-access."


def test_escape_codes_and_the_stack_name_are_removed():
    assert plain_line("\x1b[2K\x1b[1Alab  \x1b[1m\x1b[32mSuccess!\x1b[0m\r", "lab") == "  Success!"


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ({}, ""),
        ({"account": 97, "policy": 1}, "97 accounts, 1 policy"),
        ({"policy": 2, "stop after creation": 30}, "30 stops after creation, 2 policies"),
    ],
)
def test_counts_are_formatted_in_words(kinds, words):
    assert counted(Counter(kinds)) == words

"""The lab in plain Terraform, as it was before this project: one table of students, `for_each`, and two phases.

The first apply creates groups, accounts and clusters with `-target`; the second one installs the libraries as separate
resources and stops the clusters.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

FIRST_PHASE = "terraform_data.force_creation"

_TERRAFORM = """
terraform {
  required_providers {
    databricks = {
      source  = "databricks/databricks"
      version = "1.99.0"
    }
  }
}

provider "databricks" {
  # rate limit
}

locals {
  groups      = csvdecode(file("users.csv"))
  group_names = [for number in range(length(local.groups)) : format("group_%02d", number + 1)]
  members = flatten([
    for index, group in local.groups : [
      for address in group : { group = local.group_names[index], address = address } if address != ""
    ]
  ])
}

resource "databricks_group" "student" {
  for_each     = toset(local.group_names)
  display_name = each.key
}

resource "databricks_user" "student" {
  for_each  = { for member in local.members : "${member.group}_${member.address}" => member }
  user_name = each.value.address
}

resource "databricks_group_member" "student" {
  for_each  = { for member in local.members : "${member.group}_${member.address}" => member }
  group_id  = databricks_group.student[each.value.group].id
  member_id = databricks_user.student[each.key].id
}

resource "databricks_group" "all_student_groups" {
  display_name          = "all_student_groups"
  databricks_sql_access = true
  workspace_access      = true
}

resource "databricks_group_member" "group" {
  for_each  = databricks_group.student
  group_id  = databricks_group.all_student_groups.id
  member_id = each.value.id
}

resource "databricks_cluster" "student" {
  for_each                = { for group in local.group_names : replace(group, "group", "cluster") => group }
  cluster_name            = each.key
  spark_version           = "15.4.x-scala2.12"
  node_type_id            = "Standard_DS3_v2"
  driver_node_type_id     = "Standard_DS3_v2"
  autotermination_minutes = 20
  data_security_mode      = "NONE"
  runtime_engine          = "STANDARD"
  enable_elastic_disk     = true
  is_pinned               = true
  custom_tags             = { origin = "terraform" }
  spark_conf              = { "spark.databricks.delta.preview.enabled" = "true" }
  spark_env_vars          = { PYSPARK_PYTHON = "/databricks/python3/bin/python3" }

  autoscale {
    min_workers = 1
    max_workers = 2
  }
  azure_attributes {
    first_on_demand    = 1
    availability       = "ON_DEMAND_AZURE"
    spot_bid_max_price = -1
  }
}

resource "databricks_permissions" "student" {
  for_each   = databricks_group.student
  cluster_id = databricks_cluster.student[replace(each.key, "group", "cluster")].id
  access_control {
    group_name       = each.key
    permission_level = "CAN_RESTART"
  }
}

resource "terraform_data" "force_creation" {
  depends_on = [
    databricks_permissions.student,
    databricks_group_member.student,
    databricks_group_member.group,
  ]
}

resource "databricks_library" "maven" {
  for_each   = databricks_cluster.student
  cluster_id = each.value.id
  maven {
    coordinates = "com.databricks:spark-xml_2.12:0.18.0"
  }
}

resource "databricks_library" "python" {
  for_each   = databricks_cluster.student
  cluster_id = each.value.id
  pypi {
    package = "nltk==3.9.1"
  }
}

resource "terraform_data" "stop" {
  for_each   = databricks_cluster.student
  depends_on = [databricks_library.maven, databricks_library.python]

  provisioner "local-exec" {
    command = <<-EOT
      curl -sS -X POST "$DATABRICKS_HOST/api/2.0/clusters/delete" \\
        -H "Authorization: Bearer $DATABRICKS_TOKEN" -d '{"cluster_id": "${each.value.id}"}'
    EOT
  }
}
"""


def files(groups: Sequence[Sequence[str]], *, requests_per_second: int | None) -> Mapping[str, str]:
    """Map the stack's file names to contents, for these groups of addresses; None keeps the provider's default rate."""
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    width = max(map(len, groups))
    rows.writerow([f"user{number}" for number in range(1, width + 1)])
    rows.writerows([*group, *[""] * (width - len(group))] for group in groups)
    rate = "" if requests_per_second is None else f"rate_limit = {requests_per_second}"
    return {"main.tf": _TERRAFORM.replace("# rate limit", rate), "users.csv": table.getvalue()}

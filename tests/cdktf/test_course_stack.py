"""The resources in the synthesized stack."""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab_settings import LabSettings, parse_settings
from labkit.lazy_package import LazyModule
from roster.account_plan import AccountPlan, plan_accounts
from roster.model import Group, Member, Roster
from stack.expressions import label
from stack.programs import PackageCommand, ScriptCommand

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("framework")]
# Importing the framework starts Node.js, which takes seconds, so only the process that runs these tests imports it.
course, framework = LazyModule("stack.course"), LazyModule("stack.framework")
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = (ROOT / "lab.toml").read_text(encoding="utf-8").replace("quota.groups.group_07", "quota.groups.group_02")

DANA = Member("dana@campus.example.ac.il")
NOA = Member("noa@campus.example.ac.il")
OMER = Member("omer@campus.example.ac.il")
OLD = Member("old@campus.example.ac.il", account="existing:rehearsal")
GONE = Member("gone@campus.example.ac.il", status="retired")
ROSTER = Roster(
    (
        Group(1, "101", "א", (DANA, GONE)),
        Group(2, "102", "ב", (NOA, OLD)),
        Group(3, "103", "ג", (replace(OMER, status="retired"),), status="retired"),
    )
)


UNLESS_RESTRICTED = '${contains(keys(data.external.restricted.result), "group_01") ? "CAN_ATTACH_TO" : "CAN_RESTART"}'


def lab_with(*changes: tuple[str, str]) -> LabSettings:
    text = SETTINGS
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_settings(text, "lab.toml")


def synthesized(lab: LabSettings, *rosters: Roster, target: str = "rehearsal") -> dict[str, Any]:
    made = course.Course(
        framework.Testing.app(),
        lab=lab,
        target_name=target,
        target=lab.targets[target],
        rosters=rosters or (ROSTER,),
        guard=ScriptCommand(Path("/venv/bin/python"), Path("/lab/check_workspace.py"), "/lab"),
        stop=ScriptCommand(Path("/venv/bin/python"), Path("/lab/stop_new_cluster.py"), "/lab", {"A_PROFILE": "LAB"}),
        restricted=PackageCommand(Path("/venv/bin/python"), "enforcer", "restricted", "/lab"),
        state_folder=Path("/lab/state"),
    )
    return json.loads(framework.Testing.synth(made))


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    return synthesized(lab_with())


def test_an_accounts_resource_name_depends_only_on_the_address(stack: dict[str, Any]):
    assert stack["resource"]["databricks_user"] == {
        f"student_{name}_at_campus-example-ac-il": {
            "user_name": f"{name}@campus.example.ac.il",
            "force_delete_home_dir": False,
            "force_delete_repos": False,
            "depends_on": ["data.external.workspace"],
        }
        for name in ("dana", "noa")
    }


def test_an_existing_account_is_only_looked_up(stack: dict[str, Any]):
    assert stack["data"]["databricks_user"]["student_old_at_campus-example-ac-il"]["user_name"] == OLD.email


def test_restricted_groups_are_read_from_external_data(stack: dict[str, Any]):
    assert stack["data"]["external"]["restricted"] == {
        "program": ["/venv/bin/python", "-m", "enforcer", "restricted"],
        "working_dir": "/lab",
        "query": {"course": "94290", "term": "2026w", "host": "", "profile": ""},
        "depends_on": ["data.external.workspace"],
    }


def test_groups_may_not_create_clusters(stack: dict[str, Any]):
    groups = stack["resource"]["databricks_group"]
    assert sorted(groups) == ["all_student_groups", "group_01", "group_02"]
    assert {(group["display_name"], group["allow_cluster_create"]) for group in groups.values()} == {
        ("all_student_groups", False),
        ("group_01", False),
        ("group_02", False),
    }
    assert stack["resource"]["databricks_group_member"] == {
        "group_01_dana_at_campus-example-ac-il": {
            "group_id": "${databricks_group.group_01.id}",
            "member_id": "${databricks_user.student_dana_at_campus-example-ac-il.id}",
        },
        "group_02_noa_at_campus-example-ac-il": {
            "group_id": "${databricks_group.group_02.id}",
            "member_id": "${databricks_user.student_noa_at_campus-example-ac-il.id}",
        },
        "group_02_old_at_campus-example-ac-il": {
            "group_id": "${databricks_group.group_02.id}",
            "member_id": "${data.databricks_user.student_old_at_campus-example-ac-il.id}",
        },
        "all_student_groups_group_01": {
            "group_id": "${databricks_group.all_student_groups.id}",
            "member_id": "${databricks_group.group_01.id}",
        },
        "all_student_groups_group_02": {
            "group_id": "${databricks_group.all_student_groups.id}",
            "member_id": "${databricks_group.group_02.id}",
        },
    }


def test_only_the_group_of_groups_has_entitlements(stack: dict[str, Any]):
    entitlements = stack["resource"]["databricks_entitlements"]["all_student_groups"]
    assert entitlements["workspace_access"] is True
    assert entitlements["databricks_sql_access"] is False


ADDRESSES = st.text(alphabet="ab0.-_@+xא", max_size=8)


@given(ADDRESSES, ADDRESSES)
def test_no_two_addresses_have_the_same_label(one: str, other: str):
    assert (label(one) == label(other)) == (one == other)
    assert re.fullmatch(r"student_[A-Za-z0-9_-]*", f"student_{label(one)}")


def test_a_cluster_has_settings_libraries_and_only_identity_tags(stack: dict[str, Any]):
    cluster = dict(stack["resource"]["databricks_cluster"]["cluster_02"])
    del cluster["depends_on"]
    assert cluster == {
        "cluster_name": "cluster_02",
        "custom_tags": {
            "origin": "terraform",
            "lab_course": "94290",
            "lab_term": "2026w",
            "lab_group": "group_02",
        },
        "spark_version": "17.3.x-scala2.13",
        "node_type_id": "Standard_DS3_v2",
        "driver_node_type_id": "Standard_DS3_v2",
        "autoscale": {"min_workers": 1, "max_workers": 2},
        "autotermination_minutes": 20,
        "data_security_mode": "USER_ISOLATION",
        "is_pinned": True,
        "spark_conf": {"spark.databricks.delta.preview.enabled": "true"},
        "spark_env_vars": {"PYSPARK_PYTHON": "/databricks/python3/bin/python3"},
        "workload_type": {"clients": {"jobs": False, "notebooks": True}},
        "library": [
            {"pypi": {"package": "nltk==3.9.1"}},
            {"maven": {"coordinates": "io.graphframes:graphframes-spark4_2.13:0.10.1"}},
        ],
    }


def test_a_retired_group_has_no_resources(stack: dict[str, Any]):
    assert sorted(stack["resource"]["databricks_cluster"]) == ["cluster_01", "cluster_02"]
    assert sorted(stack["resource"]["terraform_data"]) == ["stop_cluster_01", "stop_cluster_02"]
    assert OMER.email not in json.dumps(stack)


def test_a_clusters_permissions_are_for_its_group_and_the_staff():
    service_principal = "6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d"
    stack = synthesized(lab_with(("service_principals = []", f'service_principals = ["{service_principal}"]')))
    rights = stack["resource"]["databricks_permissions"]["cluster_01"]
    assert rights["cluster_id"] == "${databricks_cluster.cluster_01.id}"
    assert rights["access_control"] == [
        {"group_name": "${databricks_group.group_01.display_name}", "permission_level": UNLESS_RESTRICTED},
        {"user_name": "assistant@example.ac.il", "permission_level": "CAN_MANAGE"},
        {"service_principal_name": service_principal, "permission_level": "CAN_MANAGE"},
    ]
    assert list(stack["data"]["databricks_user"]["staff"]["for_each"]) == ["assistant@example.ac.il"]
    assert list(stack["data"]["databricks_service_principal"]["staff"]["for_each"]) == [service_principal]


def test_a_new_cluster_is_stopped_once(stack: dict[str, Any]):
    stop = stack["resource"]["terraform_data"]["stop_cluster_01"]
    assert stop["triggers_replace"] == "${databricks_cluster.cluster_01.id}"
    assert stop["provisioner"] == [
        {
            "local-exec": {
                "command": "${databricks_cluster.cluster_01.id}",
                "interpreter": [
                    "/venv/bin/python",
                    "/lab/stop_new_cluster.py",
                    "--name",
                    "cluster_01",
                    "--spool",
                    "/lab/state/94290-2026w-rehearsal.stopping",
                    "--cluster-id",
                ],
                "working_dir": "/lab",
                "environment": {"A_PROFILE": "LAB"},
            }
        }
    ]


def test_nobody_can_create_a_cluster_with_personal_compute(stack: dict[str, Any]):
    policy = stack["resource"]["databricks_cluster_policy"]["personal_compute"]
    assert (policy["name"], policy["policy_family_id"]) == ("Personal Compute", "personal-vm")
    overrides = json.loads(policy["policy_family_definition_overrides"])
    assert overrides["node_type_id"]["type"] == "fixed"


def test_staff_may_read_the_course_file_and_edit_the_allowances(stack: dict[str, Any]):
    course_file = stack["resource"]["databricks_workspace_file"]["course_file"]
    assert course_file["path"] == "/lab-94290-2026w/course.json"
    document = json.loads(base64.b64decode(course_file["content_base64"]))
    assert [group["limits"]["hard_minutes"] for group in document["groups"]] == [180, 240]
    directories = stack["resource"]["databricks_directory"]
    assert {name: (d["path"], d["delete_recursive"]) for name, d in directories.items()} == {
        "course_folder": ("/lab-94290-2026w", True),
        "allowances": ("/lab-94290-2026w/allowances", True),
    }
    rights = stack["resource"]["databricks_permissions"]
    [reader], [writer] = rights["course_folder"]["access_control"], rights["allowances"]["access_control"]
    assert reader["user_name"] == writer["user_name"] == "assistant@example.ac.il"
    assert reader["permission_level"].endswith('? "CAN_MANAGE" : "CAN_READ"}')
    assert writer["permission_level"].endswith('? "CAN_MANAGE" : "CAN_EDIT"}')


def test_pages_add_a_folder_that_staff_may_edit(stack: dict[str, Any]):
    made = synthesized(lab_with(("[targets.rehearsal]", '[pages]\nlanguage = "he"\n\n[targets.rehearsal]')))["resource"]
    added = {
        (kind, name) for kind, resources in made.items() for name in resources if name not in stack["resource"][kind]
    }
    assert added == {("databricks_directory", "groups_pages"), ("databricks_permissions", "groups_pages")}
    folder, rights = made["databricks_directory"]["groups_pages"], made["databricks_permissions"]["groups_pages"]
    assert (folder["path"], folder["delete_recursive"]) == ("/lab-94290-2026w/groups", True)
    (writer,) = rights["access_control"]
    assert writer["user_name"] == "assistant@example.ac.il"
    assert writer["permission_level"].endswith('? "CAN_MANAGE" : "CAN_EDIT"}')


def test_time_requests_add_a_folder_and_the_version_of_the_course_file(stack: dict[str, Any]):
    table = "[requests]\n\n[extensions]\nminutes = 30\nper_week = 1\n\n[targets.rehearsal]"
    made = synthesized(lab_with(("[targets.rehearsal]", table)))["resource"]
    added = {
        (kind, name) for kind, resources in made.items() for name in resources if name not in stack["resource"][kind]
    }
    assert added == {
        ("databricks_directory", "requests"),
        ("databricks_permissions", "requests"),
        ("databricks_workspace_file", "course_version"),
    }
    folder, file = made["databricks_directory"]["requests"], made["databricks_workspace_file"]["course_version"]
    course_file = json.loads(base64.b64decode(made["databricks_workspace_file"]["course_file"]["content_base64"]))
    assert (folder["path"], folder["delete_recursive"]) == ("/lab-94290-2026w/requests", True)
    assert file["path"] == "/lab-94290-2026w/requests/course-version.txt"
    assert base64.b64decode(file["content_base64"]).decode() == course_file["checksum"] + "\n"
    # The enforcer relies on this order.
    assert "databricks_workspace_file.course_file" in file["depends_on"]
    assert (course_file["requests"], course_file["extensions"]) == (
        {"expire_days": 7},
        {"minutes": 30, "per_week": 1, "not_in": []},
    )


def test_a_course_without_weekly_digest_changes_only_the_course_file(stack: dict[str, Any]):
    made = synthesized(lab_with(("weekly_digest = true", "weekly_digest = false")))["resource"]
    assert {
        (kind, name)
        for kind, resources in made.items()
        for name, body in resources.items()
        if body != stack["resource"][kind].get(name)
    } == {("databricks_workspace_file", "course_file")}
    content = made["databricks_workspace_file"]["course_file"]["content_base64"]
    assert json.loads(base64.b64decode(content))["weekly_digest"] is False


def test_a_quota_change_changes_only_the_course_file(stack: dict[str, Any]):
    changed = synthesized(lab_with(("hard_minutes = 180", "hard_minutes = 175")))["resource"]
    assert {
        f"{kind}.{name}"
        for kind, resources in stack["resource"].items()
        for name, resource in resources.items()
        if changed[kind][name] != resource
    } == {"databricks_workspace_file.course_file"}


def test_a_moved_student_changes_only_memberships():
    moved = Roster(
        (Group(1, "101", "א", (GONE,)), replace(ROSTER.groups[1], members=(DANA, NOA, OLD)), ROSTER.groups[2])
    )
    before, after = synthesized(lab_with())["resource"], synthesized(lab_with(), moved)["resource"]
    assert {kind for kind in before if before[kind] != after[kind]} == {"databricks_group_member"}


def test_everything_depends_on_the_guard(stack: dict[str, Any]):
    first = [
        *(stack["resource"]["databricks_cluster"].values()),
        *(stack["resource"]["databricks_user"].values()),
        *(stack["resource"]["databricks_group"].values()),
        stack["resource"]["databricks_cluster_policy"]["personal_compute"],
        stack["resource"]["databricks_directory"]["course_folder"],
        *(stack["data"]["databricks_user"].values()),
    ]
    assert {tuple(resource["depends_on"]) for resource in first} == {("data.external.workspace",)}


def test_a_directory_group_and_its_accounts_are_looked_up():
    new = Member("new@campus.example.ac.il", account="existing:production")
    team = Group(1, "880", 'DE-"2026"-${1}', (DANA, new), principal='DE-"2026"-${1}')
    made = synthesized(lab_with(), Roster((team, ROSTER.groups[1])))
    assert made["data"]["databricks_group"] == {
        "group_01": {
            "display_name": 'DE-"2026"-$${1}',
            "recursive": False,
            "depends_on": ["data.external.workspace"],
        }
    }
    assert set(made["resource"]["databricks_group"]) == {"group_02", "all_student_groups"}
    # An account that the lab created stays managed; the other one existed, whatever the target is.
    assert "student_dana_at_campus-example-ac-il" in made["resource"]["databricks_user"]
    assert "student_new_at_campus-example-ac-il" in made["data"]["databricks_user"]
    memberships = made["resource"]["databricks_group_member"]
    assert sorted(name for name in memberships if "group_01" in name) == ["all_student_groups_group_01"]
    assert memberships["all_student_groups_group_01"]["member_id"] == "${data.databricks_group.group_01.id}"
    granted = made["resource"]["databricks_permissions"]["cluster_01"]["access_control"][0]
    assert granted == {
        "group_name": "${data.databricks_group.group_01.display_name}",
        "permission_level": UNLESS_RESTRICTED,
    }
    assert made["resource"]["databricks_cluster"]["cluster_01"]["custom_tags"]["lab_group"] == "group_01"
    query = made["data"]["external"]["workspace"]["query"]
    assert (json.loads(query["group_names"]), json.loads(query["principals"])) == (
        ["group_02", "all_student_groups"],
        ['DE-"2026"-$${1}'],
    )


def test_the_guards_query_contains_the_expectations():
    query = synthesized(lab_with(), target="production")["data"]["external"]["workspace"]["query"]
    assert query["expected_host"] == "https://adb-1234567890123456.7.azuredatabricks.net"
    assert query["profile"] == "LAB"
    assert json.loads(query["group_names"]) == ["group_01", "group_02", "all_student_groups"]
    assert json.loads(query["clusters"])["cluster_01"]["lab_group"] == "group_01"
    assert all(isinstance(value, str) for value in query.values())


def test_warnings_are_checks_and_not_outputs(stack: dict[str, Any]):
    assert sorted(stack["check"]) == ["course_file_edited", "open_to_everybody", "unguarded", "would_restart"]
    assert "output" not in stack


def test_each_target_has_its_own_state():
    rehearsal, production = synthesized(lab_with()), synthesized(lab_with(), target="production")
    assert rehearsal["provider"]["databricks"] == [{"rate_limit": 100}]
    assert production["provider"]["databricks"] == [{"profile": "LAB", "rate_limit": 100}]
    assert rehearsal["terraform"]["backend"] == {"local": {"path": "/lab/state/94290-2026w-rehearsal.tfstate"}}
    backend = {
        "resource_group_name": "lab-state",
        "storage_account_name": "labstate",
        "container_name": "tfstate",
        "key": "94290-2026w.tfstate",
    }
    assert production["terraform"]["backend"] == {"azurerm": backend}
    by_login = synthesized(lab_with(("# use_azuread_auth", "use_azuread_auth")), target="production")
    assert by_login["terraform"]["backend"] == {"azurerm": {**backend, "use_azuread_auth": True}}


def test_a_prefix_does_not_change_terraform_addresses():
    lab = lab_with(('name_prefix = ""', 'name_prefix = "de-"'), ("quota.groups.group_02", "quota.groups.de-group_02"))
    resources = synthesized(lab)["resource"]
    assert resources["databricks_group"]["group_02"]["display_name"] == "de-group_02"
    cluster = resources["databricks_cluster"]["cluster_02"]
    assert (cluster["cluster_name"], cluster["custom_tags"]["lab_group"]) == ("de-cluster_02", "de-group_02")
    document = json.loads(base64.b64decode(resources["databricks_workspace_file"]["course_file"]["content_base64"]))
    assert document["groups"][1]["limits"]["hard_minutes"] == 240


def test_without_workspace_settings_a_stack_only_joins_the_group_of_groups():
    stack = synthesized(lab_with(("owns_workspace_settings = true", "owns_workspace_settings = false")))
    assert "databricks_cluster_policy" not in stack["resource"]
    assert "databricks_entitlements" not in stack["resource"]
    assert list(stack["resource"]["databricks_group"]) == ["group_01", "group_02"]
    assert stack["data"]["databricks_group"]["all_student_groups"]["display_name"] == "all_student_groups"
    assert stack["resource"]["databricks_group_member"]["all_student_groups_group_01"] == {
        "group_id": "${data.databricks_group.all_student_groups.id}",
        "member_id": "${databricks_group.group_01.id}",
    }


def test_a_stack_without_accounts_looks_them_up():
    stack = synthesized(lab_with(("owns_accounts = true", "owns_accounts = false")))
    assert "databricks_user" not in stack["resource"]
    looked_up = [user["user_name"] for name, user in stack["data"]["databricks_user"].items() if name != "staff"]
    assert looked_up == [DANA.email, NOA.email, OLD.email]


def test_other_courses_rosters_add_only_accounts():
    other = Roster((Group(9, "201", "Other", (Member("other@campus.example.ac.il"), DANA)),))
    resources = synthesized(lab_with(), ROSTER, other)["resource"]
    assert "student_other_at_campus-example-ac-il" in resources["databricks_user"]
    assert sorted(resources["databricks_cluster"]) == ["cluster_01", "cluster_02"]


def test_existing_accounts_and_staff_accounts_are_never_managed():
    other = Roster((Group(9, "", "", (replace(NOA, account="existing:rehearsal"),)),))
    plan = plan_accounts(ROSTER, [other], target="rehearsal", staff=["Dana@campus.example.ac.il"], owns_accounts=True)
    assert plan == AccountPlan(managed=(), looked_up=(DANA.email, NOA.email, OLD.email))
    elsewhere = plan_accounts(ROSTER, [other], target="production", staff=[], owns_accounts=True)
    assert elsewhere == AccountPlan(managed=(DANA.email, NOA.email, OLD.email), looked_up=())


def test_expressions_in_strings_are_escaped():
    lab = lab_with(
        ('spark_version = "17.3.x-scala2.13"', 'spark_version = "17.3.x-scala2.13"'), ('"true"', '"${a}%{b}"')
    )
    cluster = synthesized(lab)["resource"]["databricks_cluster"]["cluster_01"]
    assert cluster["spark_conf"] == {"spark.databricks.delta.preview.enabled": "$${a}%%{b}"}


def run_main(
    folder: Path, environ: Mapping[str, str] | None = None, *, umask: int = 0o22
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "cdktf" / "main.py")],
        cwd=folder,
        env={**os.environ, "LAB_CONFIG": str(folder / "lab.toml"), **(environ or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        umask=umask,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "lab.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "rosters").mkdir()
    (tmp_path / "rosters" / "94290-2026w.csv").write_text(
        "number,moodle_group_id,moodle_group_name,email,status,account\n"
        "1,101,א,dana@campus.example.ac.il,active,managed\n"
        "2,102,ב,noa@campus.example.ac.il,active,managed\n",
        encoding="utf-8",
    )
    return tmp_path


@pytest.mark.process
def test_the_program_synthesizes_one_stack_with_absolute_paths(project: Path):
    earlier = project / "cdktf.out" / "stacks" / "94290-2026w-rehearsal" / "cdk.tf.json"
    earlier.parent.mkdir(parents=True)
    earlier.touch(0o644)
    done = run_main(project, {"DATABRICKS_TOKEN": "dapi-very-secret", "DATABRICKS_HOST": "https://a.example"}, umask=0)
    assert (done.returncode, done.stderr) == (0, "")
    [stack] = (project / "cdktf.out" / "stacks").iterdir()
    text = (stack / "cdk.tf.json").read_text(encoding="utf-8")
    assert stack.name == "94290-2026w-rehearsal"
    assert "dapi-very-secret" not in text
    assert "uniqueId" not in text
    program = json.loads(text)["data"]["external"]["workspace"]["program"]
    assert [Path(part).is_absolute() and Path(part).exists() for part in program] == [True, True]
    private = (project / "state", stack, earlier, stack.parent.parent / "manifest.json")
    assert [path.stat().st_mode & 0o777 for path in private] == [0o700, 0o700, 0o600, 0o600]


@pytest.mark.process
@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (
            "production",
            "Target production: profile LAB specifies https://lab.example, but DATABRICKS_TOKEN in the environment "
            "comes from a different source: a token or secret is sent only to the host that its own source specifies. "
            "Set both in one place, or unset one of them.",
        ),
        ("moon", "LAB_TARGET is 'moon'; it must be one of rehearsal, production."),
    ],
)
def test_an_error_in_the_settings_causes_one_message(project: Path, target: str, sentence: str):
    profiles = project / "profiles"
    profiles.write_text("[LAB]\nhost = https://lab.example\n")
    credentials = {"DATABRICKS_TOKEN": "dapi-very-secret", "DATABRICKS_CONFIG_FILE": str(profiles)}
    done = run_main(project, {"LAB_TARGET": target, **credentials})
    assert (done.returncode, done.stderr.splitlines()) == (2, [sentence])
    assert not (project / "cdktf.out").exists()


@pytest.mark.process
def test_the_error_for_a_missing_roster_contains_the_import_command(project: Path):
    (project / "rosters" / "94290-2026w.csv").unlink()
    done = run_main(project)
    assert (done.returncode, done.stderr) == (
        2,
        "rosters/94290-2026w.csv cannot be read (No such file or directory); "
        "python cdktf/import_roster.py EXPORT --out rosters/94290-2026w.csv creates it from Moodle's export.\n",
    )

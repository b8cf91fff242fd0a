"""A lab of a fleet sees its own `.env` and nothing of another lab or of the process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from enforcer.fleet.lab_environment import LabEnvironment, ledger_key, read_environment
from enforcer.fleet.labs_file import LabEntry
from enforcer.fleet.shared import SharedResources
from enforcer.settings import SettingsError
from enforcer.workspace.client import LIMITS, Workspace
from in_process_workspace import InProcessWorkspace
from labkit.extras.sdk import configure
from sdk_in_process import InProcessSdkClient

A = "DATABRICKS_HOST=https://a.example\nDATABRICKS_TOKEN=token-a\n"
B = "DATABRICKS_HOST=https://b.example\nDATABRICKS_TOKEN=token-b\n"
MAIL = "AZURE_EMAIL_CONNECTION_STRING=endpoint=https://Mail.example/;accesskey=eA==\nAZURE_EMAIL_SENDER=lab@x.example\n"
MakeEntry = Callable[..., LabEntry]


@pytest.fixture
def entry(tmp_path: Path) -> MakeEntry:
    """Write a lab's `.env` and return its entry."""

    def make(name: str, env: str | None = A, **more: object) -> LabEntry:
        path = tmp_path / name / ".env"
        path.parent.mkdir(exist_ok=True)
        if env is not None:
            path.write_text(env)
        place = f"labs.toml, {name}"
        fields: dict[str, object] = {"database": str(path.parent / "uptimes.db"), **more}
        return replace(LabEntry(name, place, path, None), **fields)  # type: ignore[arg-type]

    return make


def problems_of(entry: LabEntry, process: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        read_environment(entry, process or {})
    return raised.value.problems


def test_labs_have_their_own_workspace_settings_and_ledger(entry: MakeEntry, tmp_path: Path) -> None:
    a = read_environment(entry("a", A + "ADMIN_EMAIL=a@x.example\n", course="1", term="t"), {})
    b = read_environment(entry("b", B), {})

    assert (a.choice.host, a.sdk_variables["DATABRICKS_TOKEN"]) == ("https://a.example", "token-a")
    assert (b.choice.host, b.sdk_variables["DATABRICKS_TOKEN"]) == ("https://b.example", "token-b")
    assert (a.settings.admin_email, b.settings.admin_email) == ("a@x.example", None)
    assert (a.settings.course, b.settings.course) == ("1", None)
    assert a.settings.ledger_location == str(tmp_path / "a" / "uptimes.db")
    assert "token-a" not in repr(a)


def test_nothing_of_the_process_reaches_a_lab(entry: MakeEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    process = {
        "DATABRICKS_HOST": "https://other.example",
        "DATABRICKS_TOKEN": "token-of-the-process",
        "DATABRICKS_CLIENT_ID": "client",
        "ARM_CLIENT_ID": "arm",
        "ADMIN_EMAIL": "process@x.example",
        "LAB_COURSE": "9",
        "LAB_TERM": "z",
        "LAB_CLOCK": "http://127.0.0.1:1/clock",
    }
    for name, value in process.items():
        monkeypatch.setenv(name, value)
    lab = read_environment(entry("a"), process)

    config = configure(lab.choice, http_seconds=1, retry_seconds=1, environ=lab.sdk_variables)

    assert (config.host, config.token) == ("https://a.example", "token-a")
    assert not config.client_id and not config.azure_client_id
    assert (lab.settings.admin_email, lab.settings.course) == (None, None)
    assert lab.variables["LAB_CLOCK"] == process["LAB_CLOCK"], "all labs have the clock of the process"


def test_a_profile_gives_the_workspace_and_the_env_the_rest(entry: MakeEntry, tmp_path: Path) -> None:
    (tmp_path / "databrickscfg").write_text(
        "[ml]\nhost = https://ml.example\ntoken = token-ml\n[DEFAULT]\nhost = https://d\n"
    )
    process = {"DATABRICKS_CONFIG_FILE": str(tmp_path / "databrickscfg")}
    lab = read_environment(entry("ml", "ADMIN_EMAIL=ml@x.example\n", profile="ml"), process)

    config = configure(lab.choice, http_seconds=1, retry_seconds=1, environ=lab.sdk_variables)

    assert (config.host, config.token) == ("https://ml.example", "token-ml")
    assert lab.settings.admin_email == "ml@x.example"
    place = "labs.toml, both"
    assert problems_of(entry("both", A, profile="ml"), process) == [
        f"{tmp_path}/both/.env has DATABRICKS_HOST, DATABRICKS_TOKEN, but {place} has a profile; remove one of them."
    ]
    assert problems_of(entry("none", ""), process) == [
        "no workspace is configured: set DATABRICKS_HOST and a credential in"
        f" {tmp_path}/none/.env, or DATABRICKS_CONFIG_PROFILE."
    ], "a default profile is never used"


def test_paths_are_relative_to_the_env(entry: MakeEntry, tmp_path: Path) -> None:
    env = A + "CLUSTER_UPTIMES_DB=data/uptimes.db\nLAB_MAIL_TEMPLATES=templates\n"
    lab = read_environment(entry("a", env, database=None), {})
    assert lab.settings.ledger_location == str(tmp_path / "a/data/uptimes.db")
    assert lab.settings.mail_templates == tmp_path / "a/templates"


@pytest.mark.parametrize(
    ("env", "more", "expected"),
    [
        (None, {}, "{env} does not exist; check env of labs.toml, a."),
        (A + "LAB_COURSE=1\n", {"course": "2", "term": "t"}, "LAB_COURSE in {env} differs from course of labs.toml, a"),
        (A + "HTTPS_PROXY=http://p\n", {}, "HTTPS_PROXY in {env} is for the whole process"),
        (A + "LAB_CLOCK=http://127.0.0.1/c\n", {}, "LAB_CLOCK in {env} is for the whole process"),
        (A + "MAIL_SENDS_PER_HOUR=no\n", {}, 'MAIL_SENDS_PER_HOUR is "no"; expected a whole number, 1 or greater.'),
        ("DATABRICKS_TOKEN=secret\n", {}, "{env} has DATABRICKS_TOKEN but specifies no workspace"),
        (A + "AZURE_EMAIL_ACCESS_KEY=geheim\n", {}, "AZURE_EMAIL_ENDPOINT is missing"),
    ],
)
def test_an_invalid_lab_is_explained_without_secrets(
    entry: MakeEntry, tmp_path: Path, env: str | None, more: dict[str, str], expected: str
) -> None:
    problems = problems_of(entry("a", env, **more))
    assert problems[0].startswith(expected.format(env=tmp_path / "a/.env")), problems
    assert not any(secret in "".join(problems) for secret in ("token-a", "geheim", "=secret"))


def claimed(shared: SharedResources, lab: LabEnvironment) -> list[str]:
    try:
        shared.claim(lab)
    except SettingsError as error:
        return error.problems
    return []


def test_two_labs_never_have_the_same_ledger_or_course(entry: MakeEntry) -> None:
    shared = SharedResources()
    a = read_environment(entry("a", course="1", term="t"), {})
    same_ledger = read_environment(entry("b", B, database=a.settings.ledger_location), {})
    same_course = read_environment(entry("c", course="1", term="t"), {})
    no_course = read_environment(entry("d"), {})
    other_course = read_environment(entry("e", course="2", term="t"), {})

    assert [claimed(shared, lab) for lab in (a, same_ledger, same_course, no_course, other_course)] == [
        [],
        ["the ledger is also the ledger of the lab a; set database or CLUSTER_UPTIMES_DB for each."],
        ["the lab a is in the same workspace https://a.example; set different courses and terms for both."],
        ["the lab a is in the same workspace https://a.example; set different courses and terms for both."],
        [],
    ]
    moved = read_environment(entry("a", B, course="1", term="t"), {})
    assert claimed(shared, moved) == [], "a lab may claim again"
    assert claimed(shared, same_course) == [], "its first workspace is free again"


def test_two_labs_never_write_the_same_file(entry: MakeEntry, tmp_path: Path) -> None:
    shared = SharedResources()
    a = read_environment(entry("a", A + "LAB_METRICS=../all.prom\n"), {})
    b = read_environment(entry("b", B + f"LAB_METRICS={tmp_path}/all.prom\n"), {})
    c = read_environment(entry("c", B + "LAB_METRICS=c.prom\n"), {})

    assert [claimed(shared, lab) for lab in (a, b, c)] == [
        [],
        ["LAB_METRICS is also a file of the lab a; set a different one for each."],
        [],
    ]


def test_labs_share_a_mail_account_by_endpoint_or_subscription(entry: MakeEntry) -> None:
    a = read_environment(entry("a", A + MAIL), {})
    b = read_environment(
        entry("b", B + MAIL.replace("Mail.example/;accesskey=eA==", "mail.example;accesskey=eQ==")), {}
    )
    c = read_environment(entry("c", B + MAIL, mail_subscription="teaching"), {})
    d = read_environment(entry("d", B + MAIL.replace("Mail", "other"), mail_subscription="teaching"), {})

    assert a.mail_key == b.mail_key == "endpoint https://mail.example"
    assert c.mail_key == d.mail_key == "subscription teaching"
    assert read_environment(entry("e"), {}).mail_key == ""


def test_two_spellings_of_a_ledger_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert ledger_key(str(tmp_path / "link" / "u.db")) == ledger_key(str(tmp_path / "u.db"))
    assert ledger_key("postgresql://a:secret@DB/lab") == ledger_key("postgres://b@db:5432/lab")
    assert "secret" not in ledger_key("postgresql://a:secret@DB/lab")


def test_clients_of_one_workspace_share_its_rate_limits() -> None:
    shared = SharedResources()

    def seconds(*workspace_ids: str) -> float:
        """Return how long two group requests of each client take together."""
        clients = [
            Workspace(InProcessSdkClient(InProcessWorkspace()), workspace_id=id)  # type: ignore[arg-type]
            for id in workspace_ids
        ]
        for client in clients:
            shared.share_limiters(client)
        began = time.monotonic()
        for client in clients:
            client.before_request("scim/groups")
            client.before_request("scim/groups")
        return time.monotonic() - began

    apart, together = seconds("1", "2"), seconds("3", "3")

    assert together >= 2 / LIMITS["scim"] > apart

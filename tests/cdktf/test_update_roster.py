"""A week of nights: the roster is imported from Moodle, and Terraform applies what lab.toml permits."""

from __future__ import annotations

import fcntl
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from emulator_process import EmulatorProcess
from moodle_site import MoodleServer, MoodleSite, Person, Token
from preflight.deploy_lock import deploy_lock
from terraform_lab import ROOT, CommandOutput, TerraformLab

pytestmark = [pytest.mark.process, pytest.mark.terraform]

TOKEN = "0123456789abcdef0123456789abcdef"
TEACHER = 900
SIZE = 5


def student(id: int) -> Person:
    return Person(id, f"s{id}@campus.example.ac.il")


def four_groups() -> MoodleSite:
    """Four groups with five students each, and a teacher as a member of a group."""
    site = MoodleSite(idnumber="94290", tokens={TOKEN: Token(TEACHER)})
    for number in range(1, 5):
        ids = [10 * number + place for place in range(SIZE)]
        site.people += [student(id) for id in ids]
        site.groups[5000 + number] = f"צוות {number}"
        site.members[5000 + number] = ids
    site.people.append(Person(TEACHER, "teacher@campus.example.ac.il", ("editingteacher",)))
    site.members[5001].append(TEACHER)
    return site


@dataclass
class Nights:
    """A deployed course whose roster is updated from Moodle each night."""

    lab: TerraformLab
    server: MoodleServer
    mails_seen: int = 0

    @property
    def site(self) -> MoodleSite:
        return self.server.site

    def night(self) -> CommandOutput:
        return self.lab.run([sys.executable, ROOT / "cdktf" / "update_roster.py"])

    def new_mails(self) -> list[dict[str, Any]]:
        """Return the mails since the last call."""
        mails: list[dict[str, Any]] = self.lab.emulator.control("GET", "mail")
        new, self.mails_seen = mails[self.mails_seen :], len(mails)
        return new

    def join(self, group: int, *ids: int) -> None:
        self.site.people += [student(id) for id in ids]
        self.site.members.setdefault(group, []).extend(ids)

    def directory(self) -> tuple[set[str], dict[str, set[str]]]:
        """Return the students' accounts, and the members of each group."""
        users = self.lab.call("GET", "/api/2.0/preview/scim/v2/Users?count=500")["Resources"]
        names = {user["id"]: user["userName"] for user in users}
        groups = self.lab.call("GET", "/api/2.0/preview/scim/v2/Groups?count=500")["Resources"]
        members = {
            group["displayName"]: {names[one["value"]] for one in group.get("members", []) if one["value"] in names}
            for group in groups
            if group["displayName"].startswith("group_")
        }
        return {name for name in names.values() if name.startswith("s")}, members

    def expected(self) -> tuple[set[str], dict[str, set[str]]]:
        """Return the accounts and groups that Moodle's course describes."""
        groups = {
            f"group_{id - 5000:02d}": {student(user).email for user in ids if user != TEACHER}
            for id, ids in self.site.members.items()
        }
        return set().union(*groups.values()), groups


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nights]:
    with MoodleServer(four_groups()) as server, EmulatorProcess(["--transition-seconds", "0"]) as emulator:
        variables = {
            "MOODLE_TOKEN": TOKEN,
            "AZURE_EMAIL_CONNECTION_STRING": emulator.mail_connection_string,
            "AZURE_EMAIL_SENDER": "DoNotReply@lab.example",
            "REPORT_RECIPIENT_EMAIL": "teacher@lab.example",
            "REQUESTS_CA_BUNDLE": emulator.mail_ca,
            "CLUSTER_UPTIMES_DB": str(tmp_path / "ledger" / "uptimes.db"),
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        roster = f'[roster]\nmoodle = "{server.url}"\napply = "joins"\n\n[students]'
        lab = TerraformLab(
            tmp_path,
            emulator,
            settings={
                "quota.groups.group_07": "quota.groups.group_01",
                "max_group_size = 6": "max_group_size = 9",
                "[students]": roster,
            },
        )
        lab.create_staff_account()
        yield Nights(lab, server)


def night_during_a_deploy(nights: Nights) -> CommandOutput:
    """Deploy as a person does, and run a night after the deploy has begun; return the night's output."""
    lab = nights.lab
    with ThreadPoolExecutor() as threads:
        deploy = threads.submit(lab.cdktf, "deploy", "--auto-approve")
        while not deploy.done() and not list(lab.state.parent.glob(".*.lock.info")):
            time.sleep(0.05)
        night = nights.night()
        assert deploy.result().status == 0, deploy.result().text
    return night


def test_a_week_of_nights(nights: Nights, acceptance: bool):
    lab, site = nights.lab, nights.site
    source: list[str | Path] = ["--moodle", nights.server.url, "--course", "94290", "--out", lab.roster]
    done = lab.run([sys.executable, ROOT / "cdktf" / "import_roster.py", *source])
    assert done.status == 0, done.text
    lab.deploy()
    deployed = lab.workspace_state()
    assert nights.directory() == nights.expected()

    # Sunday: nothing happened, so there is no mail.
    done = nights.night()
    assert (done.status, done.text.splitlines()[0]) == (0, "Roster of 94290 2026w: nothing changed"), done.text
    assert nights.new_mails() == []

    # Monday: two students join groups; one of them has an account already, which the lab does not manage.
    lab.emulator.control("POST", "users", {"user_name": student(16).email})
    nights.join(5001, 15, 16)
    nights.join(5002, 25)
    done = nights.night()
    assert done.status == 0, done.text
    assert nights.directory() == nights.expected()
    [mail] = nights.new_mails()
    assert (mail["subject"], mail["to"]) == ("Roster of 94290 2026w: changes were applied", ["teacher@lab.example"])
    for line in ("Applied to the workspace (5):", "  joined     s15@campus.example.ac.il → group_01"):
        assert line in mail["text"].splitlines()
    assert "1 of the new addresses already had an account" in mail["text"]

    # Tuesday: a new group is not only accounts and memberships, so it waits, with a joining student.
    joined = nights.directory()
    site.groups[5005] = "Late"
    nights.join(5005, 50, 51)
    nights.join(5003, 35)
    done = nights.night()
    assert done.status == 0, done.text
    assert nights.directory() == joined
    [mail] = nights.new_mails()
    assert mail["subject"] == "Roster of 94290 2026w: changes wait for you"
    assert "create databricks_cluster (1)" in mail["text"]
    assert "pipenv run cdktf deploy" in mail["text"]

    if not acceptance:
        return  # the other nights take as long again

    # Wednesday: somebody deploys the new group at the same time.
    done = night_during_a_deploy(nights)
    assert done.status == 1, done.text
    assert "Nothing was done, because 94290-2026w-demo is being deployed" in done.text
    assert [mail["subject"] for mail in nights.new_mails()] == ["Roster of 94290 2026w: the update failed"]
    assert nights.directory() == nights.expected()

    # Thursday: a mass move is refused by the import, so neither roster nor workspace change.
    before, roster = nights.directory(), lab.roster.read_bytes()
    kept = {id: list(ids) for id, ids in site.members.items()}
    site.members[5001], site.members[5002] = kept[5002], kept[5001]
    done = nights.night()
    assert done.status == 1, done.text
    assert (nights.directory(), lab.roster.read_bytes()) == (before, roster)
    [mail] = nights.new_mails()
    assert mail["subject"] == "Roster of 94290 2026w: the import was refused"
    assert "students would move to a different group" in mail["text"]

    # Friday: a drop beyond the cap is refused, too.
    site.members = {id: ids if id not in (5003, 5004) else ids[3:] for id, ids in kept.items()}
    done = nights.night()
    assert done.status == 1, done.text
    assert (nights.directory(), lab.roster.read_bytes()) == (before, roster)
    [mail] = nights.new_mails()
    assert "of the roster's 26 students are not in this export, more than 20 percent" in mail["text"]

    # Saturday: with "all", a student changes groups; another one is suspended and stays.
    lab.change("lab.toml", 'apply = "joins"', 'apply = "all"')
    site.members = {id: [user for user in ids if user != 40] for id, ids in kept.items()}
    site.members[5001].append(40)
    site.people = [replace(one, is_account_suspended=True) if one.id == 20 else one for one in site.people]
    done = nights.night()
    assert done.status == 0, done.text
    assert nights.directory() == nights.expected()
    [mail] = nights.new_mails()
    assert mail["subject"] == "Roster of 94290 2026w: changes were applied"
    assert "  suspended  s20@campus.example.ac.il (stays in group_02)" in mail["text"].splitlines()

    # A student who leaves takes an account along, so that waits for a person.
    site.members[5004].remove(41)
    done = nights.night()
    assert (done.status, len(nights.directory()[0])) == (0, 26), done.text
    assert "delete databricks_user (1)" in nights.new_mails()[0]["text"]

    # During a night, nobody deploys.
    with deploy_lock(lab.folder, "94290-2026w-demo"):
        done = lab.cdktf("deploy", "--auto-approve")
    assert done.status == 2, done.text
    assert "94290-2026w-demo is being deployed, or its roster updated, by another process" in done.text

    # A deploy on another machine has only Terraform's lock of the state.
    with lab.state.open("r+b") as state:
        fcntl.lockf(state, fcntl.LOCK_EX | fcntl.LOCK_NB)
        done = nights.night()
    assert done.status == 1, done.text
    assert "terraform plan failed; nothing more was done." in done.text
    assert "Error acquiring the state lock" in nights.new_mails()[0]["text"]

    assert lab.files_with(TOKEN) == []
    assert lab.workspace_state()["policies"] == deployed["policies"]
    assert lab.clusters().keys() == {f"cluster_0{number}" for number in range(1, 6)}

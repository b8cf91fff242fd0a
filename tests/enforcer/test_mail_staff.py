"""`mail-staff`: the text, its recipients, and the outbox."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emulator_process import EmulatorProcess
from enforcer.commands.mail_staff import command
from enforcer.ledger.database import open_ledger
from enforcer.ledger.lock import ledger_lock
from enforcer.ledger.stored_messages import waiting_count

TEXT = "Students\n  joined  s1@campus.example → group_01\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `mail-staff` with this text on standard input."""
    monkeypatch.chdir(tmp_path)

    def run(text: str = TEXT, *arguments: str, **variables: str) -> Result:
        environ = {**os.environ, "CLUSTER_UPTIMES_DB": str(tmp_path / "uptimes.db"), **variables}
        return CliRunner().invoke(command, ["--subject", "Roster", *arguments], input=text, obj=environ)

    return run


def waiting(folder: Path) -> int:
    with contextlib.closing(open_ledger(str(folder / "uptimes.db"))) as ledger:
        return waiting_count(ledger)


def test_without_mail_settings_the_text_waits_in_the_outbox_once(run, tmp_path):
    for _ in range(2):
        result = run(REPORT_RECIPIENT_EMAIL="a@lab.example, b@lab.example")
        assert (result.exit_code, result.output) == (0, "0 sent, 1 waiting in the outbox\n")
    assert waiting(tmp_path) == 1


def test_while_a_poll_runs_the_text_is_only_stored(run, tmp_path):
    with ledger_lock(str(tmp_path / "uptimes.db")) as is_alone:
        assert is_alone
        result = run(ADMIN_EMAIL="admin@lab.example")
    assert (result.exit_code, result.output) == (0, "a poll is running; the next one sends the message\n")
    assert waiting(tmp_path) == 1


@pytest.mark.parametrize(
    ("text", "variables", "sentence"),
    [
        (TEXT, {}, "REPORT_RECIPIENT_EMAIL and ADMIN_EMAIL are missing; set one of them.\n"),
        (" \n", {"ADMIN_EMAIL": "a@lab.example"}, "the text is empty, so nothing was sent.\n"),
    ],
)
def test_a_text_needs_content_and_recipients(run, text, variables, sentence):
    result = run(text, **variables)
    assert (result.exit_code, result.output) == (2, sentence)


@pytest.mark.process
def test_the_text_is_sent_as_it_is(run, tmp_path, emulator: EmulatorProcess, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", emulator.mail_ca)
    (tmp_path / "changes.txt").write_text(TEXT + "<b>\u202e</b>\n", encoding="utf-8")
    result = run(
        "",
        "changes.txt",
        REPORT_RECIPIENT_EMAIL="a@lab.example",
        AZURE_EMAIL_CONNECTION_STRING=emulator.mail_connection_string,
        AZURE_EMAIL_SENDER="DoNotReply@lab.example",
    )
    assert (result.exit_code, result.output) == (0, "1 sent, 0 waiting in the outbox\n")
    [mail] = emulator.control("GET", "mail")
    assert (mail["to"], mail["cc"], mail["subject"]) == (["a@lab.example"], [], "Roster")
    assert mail["text"] == f"{TEXT}<b> </b>\n"
    assert "&lt;b&gt; &lt;/b&gt;" in mail["html"]

"""Messages about actions of polls, from the real commands to the emulated mail service, and reports of failures."""

from __future__ import annotations

import http.server
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from emulated_course import SUNDAY, EmulatedCourse
from emulator_process import EmulatorProcess
from enforcer.ledger import stored_messages
from enforcer.ledger.database import open_ledger
from enforcer.mail.azure import Mailer
from enforcer.mail.sender import send_due
from enforcer.settings import load_settings
from labkit.clock import Deadline

pytestmark = pytest.mark.process

ADMIN = "admin@campus.example"
MONDAY = SUNDAY + timedelta(days=1)
WARNED = "Data Engineering: {left} minutes of cluster time left for Team {team}"
STOPPED = "Data Engineering: the cluster of Team {team} is off, its limit is reached"


def with_mail(lab: EmulatedCourse, sender: str = "lab@campus.example") -> EmulatedCourse:
    lab.environment |= {
        "AZURE_EMAIL_CONNECTION_STRING": lab.emulator.mail_connection_string,
        "AZURE_EMAIL_SENDER": sender,
        "ADMIN_EMAIL": ADMIN,
        "REQUESTS_CA_BUNDLE": lab.emulator.mail_ca,
    }
    return lab


@pytest.fixture
def lab(frozen_emulator: EmulatorProcess, tmp_path: Path) -> EmulatedCourse:
    frozen_emulator.control("POST", "reset")
    return with_mail(EmulatedCourse(frozen_emulator, tmp_path, groups=1))


def mail(lab: EmulatedCourse) -> list[Any]:
    messages: list[Any] = lab.emulator.control("GET", "mail")
    return messages


def subjects(lab: EmulatedCourse) -> list[str]:
    return [message["subject"] for message in mail(lab)]


def fault(lab: EmulatedCourse, *rules: dict[str, Any]) -> None:
    lab.emulator.control("POST", "faults", {"rules": [*rules]})


def ledger(lab: EmulatedCourse, statement: str) -> None:
    """Change the ledger as a crash or an editor might."""
    with sqlite3.connect(lab.environment["CLUSTER_UPTIMES_DB"]) as connection:
        connection.execute(statement)
    connection.close()


def run_to_the_limit(lab: EmulatedCourse) -> None:
    assert lab.start("group_01") == 200
    lab.poll()
    lab.advance_minutes(181)


def test_a_group_gets_one_warning_and_one_stop_message(lab: EmulatedCourse) -> None:
    assert lab.start("group_01") == 200
    for minutes in (100, 55, 10, 20, 15, 15):
        lab.advance_minutes(minutes)
        lab.poll()
    students = ["student1a@campus.example.ac.il", "student1b@campus.example.ac.il"]
    assert [(message["subject"], message["to"], message["cc"]) for message in mail(lab)] == [
        (WARNED.format(left=25, team=1), students, [ADMIN]),
        (STOPPED.format(team=1), students, [ADMIN]),
    ]


def test_mail_and_usage_give_the_reason_in_the_calendar(lab: EmulatedCourse) -> None:
    first, last = SUNDAY.isoformat(), (SUNDAY + timedelta(days=2)).isoformat()
    exam = {
        "kind": "exam",
        "title": "Midterm",
        "first_day": first,
        "last_day": first,
        "effect": "limits",
        "hard_minutes": 60,
    }
    blackout = {"kind": "blackout", "title": "", "first_day": MONDAY.isoformat(), "last_day": last, "effect": "blocked"}
    lab.write_course(calendar=[exam, blackout])
    assert lab.start("group_01") == 200
    lab.advance_minutes(61)
    lab.poll()

    (message,) = mail(lab)
    assert message["subject"] == STOPPED.format(team=1)
    assert "60 minutes (\u206860 instead of 180 minutes: Midterm\u2069)" in message["text"]
    assert "60 instead of 180 minutes: Midterm" in lab.run("usage").out
    wednesday = SUNDAY + timedelta(days=3)
    assert f"{wednesday:%A}" in message["text"].partition("New time:")[2].partition("\n")[0]


def test_a_dry_run_sends_and_stores_nothing(lab: EmulatedCourse) -> None:
    run_to_the_limit(lab)
    lab.poll("--dry-run")
    assert subjects(lab) == []
    lab.poll()
    assert subjects(lab) == [STOPPED.format(team=1)]


def test_a_stop_message_is_sent_only_after_the_stop(lab: EmulatedCourse) -> None:
    run_to_the_limit(lab)
    fault(lab, {"match": "POST /api/2.1/clusters/delete", "kind": "500"})
    assert lab.run("poll").status == 1
    assert (lab.level("group_01"), subjects(lab)) == ("CAN_ATTACH_TO", [])
    fault(lab)
    lab.poll()
    assert (lab.state("group_01"), subjects(lab)) == ("TERMINATED", [STOPPED.format(team=1)])


def test_an_unresponsive_mail_service_does_not_delay_stops(lab: EmulatedCourse) -> None:
    run_to_the_limit(lab)
    fault(lab, {"match": "POST /emails:send", "kind": "hang"})
    began = time.monotonic()
    done = lab.run("poll", "--budget", "5")
    assert time.monotonic() - began < 9
    assert (done.status, lab.state("group_01"), lab.level("group_01")) == (1, "TERMINATED", "CAN_ATTACH_TO")
    assert "was not sent: the mail service did not respond" in done.err
    fault(lab)
    lab.advance_minutes(15)
    lab.poll()
    assert subjects(lab) == [STOPPED.format(team=1)]


def test_the_admin_gets_the_stop_message_of_a_group_without_members(lab: EmulatedCourse) -> None:
    run_to_the_limit(lab)
    for message in "ab":
        target = f"student1{message}@campus.example.ac.il"
        lab.emulator.control("POST", "drift", {"kind": "remove_member", "target": "group_01", "value": target})
    ledger(lab, "delete from note where name in ('members', 'looked at everything')")
    lab.write_course(count_all_sessions=True)
    lab.poll()
    assert [(message["subject"], message["to"], message["cc"]) for message in mail(lab)] == [
        (STOPPED.format(team=1), [ADMIN], [])
    ]
    assert lab.state("group_01") == "TERMINATED"


def test_a_killed_runs_message_is_sent_by_the_next_run(lab: EmulatedCourse) -> None:
    run_to_the_limit(lab)
    no_mail = {"AZURE_EMAIL_CONNECTION_STRING": "", "AZURE_EMAIL_SENDER": ""}
    assert lab.run("poll", **no_mail).status == 0
    ledger(lab, "delete from message")
    lab.advance_minutes(15)
    lab.poll()
    lab.advance_minutes(15)
    lab.poll()
    assert subjects(lab) == [STOPPED.format(team=1)]


def test_a_stop_before_midnight_is_mailed_after_midnight(lab: EmulatedCourse) -> None:
    lab.set_time(SUNDAY, "20:55")
    run_to_the_limit(lab)
    assert lab.run("poll", AZURE_EMAIL_CONNECTION_STRING="", AZURE_EMAIL_SENDER="").status == 0
    ledger(lab, "delete from message")
    ledger(lab, "update action set done_at = null")
    lab.set_time(MONDAY, "00:05")
    lab.poll()
    lab.poll()
    assert lab.level("group_01") == "CAN_RESTART"
    assert subjects(lab) == [STOPPED.format(team=1)]


def test_a_message_shows_the_allowance_and_its_reason(lab: EmulatedCourse) -> None:
    assert lab.run("allow", "group_01", "--minutes", "30", "--reason", "project <b>deadline</b>").status == 0
    run_to_the_limit(lab)
    lab.advance_minutes(35)
    lab.poll()
    (message,) = mail(lab)
    assert "Limit:         210 minutes (\u2068180 + 30 minutes: project <b>deadline</b>\u2069)" in message["text"]
    assert "180 + 30 minutes: project &lt;b&gt;deadline&lt;/b&gt;" in message["html"]


def test_hostile_names_are_escaped_in_sent_emails(lab: EmulatedCourse) -> None:
    group = {"name": "group_01", "number": 1, "moodle_id": "1001", "limits": lab.limits}
    title = "<img src=x onerror=alert(1)>\r\nBcc: all@campus.example \u202eevil"
    lab.write_course(title="=HYPERLINK()", groups=[{**group, "title": title}])
    run_to_the_limit(lab)
    lab.poll()
    (message,) = mail(lab)
    name = "<img src=x onerror=alert(1)> Bcc: all@campus.example evil"
    assert message["subject"] == f"=HYPERLINK(): the cluster of {name} is off, its limit is reached"
    assert message["text"].startswith(f"\u2068{name}\u2069: ")
    assert "<img" not in message["html"] and "\u202e" not in message["html"]
    assert message["to"] == ["student1a@campus.example.ac.il", "student1b@campus.example.ac.il"]


def test_an_invalid_template_does_not_prevent_message_or_stop(lab: EmulatedCourse, tmp_path: Path) -> None:
    (tmp_path / "messages").mkdir()
    (tmp_path / "messages" / "stopped.txt.j2").write_text("Subject: {{ nothing }}\n")
    lab.environment["LAB_MAIL_TEMPLATES"] = str(tmp_path / "messages")
    run_to_the_limit(lab)
    lab.poll()
    assert (lab.state("group_01"), subjects(lab)) == ("TERMINATED", [STOPPED.format(team=1)])


def test_messages_to_many_groups_arrive_in_order_of_urgency(
    frozen_emulator: EmulatorProcess, tmp_path: Path, acceptance: bool
) -> None:
    """Use the rate limits of a domain managed by Azure: five messages a minute and ten an hour."""
    half = 100 if acceptance else 20
    frozen_emulator.control("POST", "reset")
    lab = with_mail(EmulatedCourse(frozen_emulator, tmp_path, groups=2 * half), "lab@0123.azurecomm.net")
    frozen_emulator.control("POST", "faults", {"profile": "mail-managed-domain"})
    over, near = lab.names[:half], lab.names[half:]
    for name in lab.names:
        assert lab.start(name) == 200
    lab.advance_minutes(155)
    for name in near:
        lab.stop(name)
    lab.advance_minutes(26)
    began = time.monotonic()
    lab.poll()
    assert time.monotonic() - began < 30
    assert {(lab.state(name), lab.level(name)) for name in over} == {("TERMINATED", "CAN_ATTACH_TO")}
    assert {(lab.state(name), lab.level(name)) for name in near} == {("TERMINATED", "CAN_RESTART")}
    assert len(mail(lab)) == 5

    reported = load_settings(lab.environment)
    assert reported.mail
    hours = _send_until_done(lab, reported)
    arrived = subjects(lab)
    assert sorted(arrived[:half]) == sorted(STOPPED.format(team=number) for number in range(1, half + 1))
    assert sorted(arrived[half:]) == sorted(
        WARNED.format(left=25, team=number) for number in range(half + 1, 2 * half + 1)
    )
    assert len({message["operation_id"] for message in mail(lab)}) == 2 * half
    # A poll sends a few seconds after its tick, so the same time in the next hour can be too early for some messages.
    assert max(hours) == 10 and len(hours) <= 2 * half / 10 * 1.3
    refused = [
        entry for entry in lab.emulator.request_log() if entry["path"] == "/emails:send" and entry["status"] != 202
    ]
    assert refused == []
    lab.poll()
    assert len(mail(lab)) == 2 * half


def _send_until_done(lab: EmulatedCourse, reported: Any) -> list[int]:
    """Send messages every 15 minutes like polls, without checking clusters; return the number of messages per hour."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", lab.emulator.mail_ca)
        mailer = Mailer(reported.mail.connection_string)
        accepted = [5]
        with closing(open_ledger(reported.ledger_location)) as opened:
            for quarter in count(1):
                if not stored_messages.waiting_count(opened):
                    break
                lab.advance_minutes(15)
                if quarter % 4 == 0:
                    accepted.append(0)
                sent = send_due(opened, mailer, reported, now=lab.now, deadline=Deadline(timedelta(seconds=30)))
                assert sent.failures == ()
                accepted[-1] += sent.accepted
    return accepted


# --- crashes and monitors


@pytest.fixture
def monitor() -> Iterator[tuple[str, list[str]]]:
    """A server for HEALTHCHECK_URL that records the received pings."""
    heard: list[str] = []

    class Ear(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing to standard error."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/ping/0123", heard
        server.shutdown()


def test_the_monitor_is_pinged_at_start_and_success(lab: EmulatedCourse, monitor: tuple[str, list[str]]) -> None:
    url, heard = monitor
    lab.environment["HEALTHCHECK_URL"] = url
    lab.poll()
    assert heard == ["/ping/0123/start", "/ping/0123"]
    lab.poll("--dry-run")
    assert len(heard) == 2


def test_the_monitor_is_pinged_on_failures_and_invalid_settings(
    lab: EmulatedCourse, monitor: tuple[str, list[str]]
) -> None:
    url, heard = monitor
    lab.environment["HEALTHCHECK_URL"] = url
    fault(lab, {"match": "/api/2.1/clusters/list", "kind": "500"})
    assert lab.run("poll").status == 1
    assert lab.run("poll", CLUSTER_UPTIMES_DB=str(lab.folder)).status == 2
    assert heard == ["/ping/0123/start", "/ping/0123/fail"] * 2


def test_an_unreachable_monitor_does_not_affect_the_run(lab: EmulatedCourse, caplog: pytest.LogCaptureFixture) -> None:
    lab.environment["HEALTHCHECK_URL"] = "http://127.0.0.1:9/ping/secret"
    lab.poll()
    assert "HEALTHCHECK_URL does not respond" in caplog.text and "secret" not in caplog.text


def test_the_admin_is_mailed_once_per_crash_cause_and_hour(lab: EmulatedCourse) -> None:
    lab.poll()
    ledger(lab, "update note set value = 'no JSON' where name = 'members'")
    for _ in range(3):
        assert lab.run("poll").status == 1
        lab.advance_minutes(15)
    (message,) = mail(lab)
    assert message["to"] == [ADMIN]
    assert message["subject"].startswith("Lab enforcer failed: JSONDecodeError")
    assert "Traceback" in message["text"] and "collect.py" in message["text"]
    lab.advance_minutes(60)
    lab.run("poll")
    assert len(mail(lab)) == 2
    lab.advance_minutes(60)
    fault(lab, {"match": "/api/2.1/clusters/list", "kind": "500"})
    lab.run("poll")
    assert len(mail(lab)) == 3


def test_a_crash_of_the_ledger_itself_is_mailed_once(lab: EmulatedCourse) -> None:
    lab.poll()
    ledger(lab, "drop table message")
    for _ in range(2):
        assert lab.run("poll").status == 1
        lab.advance_minutes(15)
    assert len(mail(lab)) == 1
    assert "no such table: message" in mail(lab)[0]["subject"]


def test_messages_are_sent_while_the_workspace_is_unreachable(lab: EmulatedCourse) -> None:
    run_to_the_limit(lab)
    fault(lab, {"match": "POST /emails:send", "kind": "500", "count": 1})
    assert lab.run("poll").status == 1
    lab.advance_minutes(15)
    fault(lab, {"match": "/api/2.1/clusters/list", "kind": "500"})
    done = lab.run("poll")
    assert done.status == 1 and "check DATABRICKS_HOST" in done.err
    assert [subject[:25] for subject in subjects(lab)] == [STOPPED[:25], "Lab enforcer failed: http"]
    # This is not a crash, so the message contains the cause without a traceback.
    (message,) = (one for one in mail(lab) if one["subject"].startswith("Lab enforcer failed"))
    assert "the enforcer could not run:" in message["text"] and "Traceback" not in message["text"]


def test_an_unusable_workspace_without_an_admin_is_not_a_crash(
    lab: EmulatedCourse, caplog: pytest.LogCaptureFixture
) -> None:
    done = lab.run("poll", ADMIN_EMAIL="", DATABRICKS_TOKEN="expired")

    host = lab.emulator.url
    assert (done.status, done.err) == (
        1,
        f"{host} cannot be used: it refused the credential (Invalid access token); check the credential of the"
        " environment.\n",
    )
    assert [record.message for record in caplog.records] == [
        "no message is sent about this error: ADMIN_EMAIL is not set"
    ]


@pytest.mark.parametrize(
    ("place", "status"), [("/dev/null/uptimes.db", 2), ("postgresql://lab:hunter2@127.0.0.1:9/lab", 1)]
)
def test_an_unusable_ledger_location_is_rejected_with_a_message(lab: EmulatedCourse, place: str, status: int) -> None:
    """A connection error is temporary, because the server may still be starting."""
    done = lab.run("poll", CLUSTER_UPTIMES_DB=place)
    assert (done.status, "check CLUSTER_UPTIMES_DB" in done.err) == (status, True)
    assert "hunter2" not in done.err and "Traceback" not in done.err


# --- test-email


def test_test_email_sends_one_message_and_prints_the_result(lab: EmulatedCourse) -> None:
    done = lab.run("test-email")
    assert (done.status, done.out) == (0, f"delivered to {ADMIN} from lab@campus.example\n")
    assert lab.run("test-email", "--to", "dana@campus.example").status == 0
    assert [message["to"] for message in mail(lab)] == [[ADMIN], ["dana@campus.example"]]


@pytest.mark.parametrize(
    ("variables", "status", "says"),
    [
        ({"AZURE_EMAIL_CONNECTION_STRING": ""}, 2, "AZURE_EMAIL_CONNECTION_STRING is missing"),
        ({"ADMIN_EMAIL": ""}, 2, "ADMIN_EMAIL is missing"),
        ({"AZURE_EMAIL_CONNECTION_STRING": "endpoint=https://127.0.0.1:9;accesskey=eA=="}, 1, "did not respond"),
        ({"AZURE_EMAIL_CONNECTION_STRING": "nonsense"}, 2, "AZURE_EMAIL_CONNECTION_STRING is invalid"),
        ({"REQUESTS_CA_BUNDLE": ""}, 1, "its certificate is not trusted"),
    ],
)
def test_test_email_reports_the_invalid_setting(
    lab: EmulatedCourse, variables: dict[str, str], status: int, says: str
) -> None:
    done = lab.run("test-email", **variables)
    assert (done.status, says in done.err, mail(lab)) == (status, True, []), done


def test_test_email_counts_towards_the_rate_limit(lab: EmulatedCourse) -> None:
    lab.environment["MAIL_SENDS_PER_HOUR"] = "1"
    assert lab.run("test-email").status == 0
    run_to_the_limit(lab)
    assert lab.run("test-email").status == 0
    lab.poll()
    assert len(mail(lab)) == 2
    lab.advance_minutes(61)
    lab.poll()
    assert subjects(lab)[2:] == [STOPPED.format(team=1)]


def test_logs_contain_no_token_and_no_key(lab: EmulatedCourse, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    run_to_the_limit(lab)
    done = lab.run("-v", "poll")
    lab.run("-v", "test-email")
    assert len(mail(lab)) == 2
    said = done.err + done.out + caplog.text
    assert "/emails:send" in said and "/api/2.1/clusters/list" in said
    for secret in (lab.emulator.admin_token, lab.emulator.mail_key, "Signature="):
        assert secret not in said

"""The emulator's mail service, with the real client over TLS and with raw requests that the client cannot send."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import http.client
import json
import ssl
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from azure.communication.email import EmailClient
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.policies import RetryPolicy

from emulator_process import EmulatorProcess

pytestmark = pytest.mark.process

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
FIRST = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def client(emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch) -> EmailClient:
    """A client configured as in programs, with a connection string and REQUESTS_CA_BUNDLE."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", emulator.mail_ca)
    return EmailClient.from_connection_string(emulator.mail_connection_string, retry_policy=RetryPolicy.no_retries())


def message(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "senderAddress": "lab@campus.example",
        "content": {"subject": "Hello", "plainText": "Hello."},
        "recipients": {"to": [{"address": "dana@campus.example"}]},
    }
    return plain | changes


def recipients(count: int) -> dict[str, Any]:
    return {"to": [{"address": f"s{number}@campus.example"} for number in range(count)]}


def refused(client: EmailClient, sent: dict[str, Any], operation_id: str | None = None) -> HttpResponseError:
    with pytest.raises(HttpResponseError) as caught:
        client.begin_send(cast(Any, sent), operation_id=operation_id, polling=False)
    return caught.value


def test_a_message_with_all_fields_arrives_unchanged(emulator: EmulatorProcess, client: EmailClient) -> None:
    whole = message(
        content={"subject": "דו״ח", "plainText": "שלום", "html": '<p dir="rtl">שלום <img src="cid:day"></p>'},
        recipients={
            "to": [{"address": "dana@campus.example", "displayName": "Dana, \u05d3\u05e0\u05d4"}],
            "cc": [{"address": "staff@campus.example"}],
        },
        attachments=[
            {"name": "day.png", "contentType": "image/png", "contentInBase64": PNG, "contentId": "day"},
            {"name": "day.csv", "contentType": "text/csv", "contentInBase64": "YSxi"},
        ],
        replyTo=[{"address": "staff@campus.example"}],
    )
    done = client.begin_send(cast(Any, whole), operation_id=FIRST).result()
    assert done == {"id": FIRST, "status": "Succeeded", "error": None}
    assert emulator.control("GET", "mail") == [
        {
            "operation_id": FIRST,
            "to": ["dana@campus.example"],
            "cc": ["staff@campus.example"],
            "suppressed": [],
            "subject": "דו״ח",
            "text": "שלום",
            "html": '<p dir="rtl">שלום <img src="cid:day"></p>',
            "attachments": [
                {"name": "day.png", "content_type": "image/png", "content_id": "day", "content_in_base64": PNG},
                {"name": "day.csv", "content_type": "text/csv", "content_id": None, "content_in_base64": "YSxi"},
            ],
        }
    ]


def test_an_operation_repeated_with_the_same_body_sends_one_message(
    emulator: EmulatorProcess, client: EmailClient
) -> None:
    for _ in range(2):
        client.begin_send(cast(Any, message()), operation_id=FIRST, polling=False)
    other = message(content={"subject": "Other", "plainText": "Other."})
    assert refused(client, other, FIRST).status_code == 400
    client.begin_send(cast(Any, other), operation_id=str(uuid.uuid4()), polling=False)
    assert [accepted["subject"] for accepted in emulator.control("GET", "mail")] == ["Hello", "Other"]


def test_messages_without_an_operation_id_are_separate(emulator: EmulatorProcess, client: EmailClient) -> None:
    ids = {client.begin_send(cast(Any, message())).result()["id"] for _ in range(2)}
    assert {accepted["operation_id"] for accepted in emulator.control("GET", "mail")} == ids and len(ids) == 2


@pytest.mark.parametrize(
    ("changes", "status", "expected_text"),
    [
        ({"recipients": recipients(51)}, 400, "51 recipients are more than 50"),
        ({"recipients": {}}, 400, "at least one recipient"),
        ({"recipients": {"to": [{"address": "no address"}]}}, 400, "recipients.to.0.address"),
        ({"content": {"subject": "Hello"}}, 400, "plainText or html"),
        ({"content": {"subject": "Hello\r\nBcc: all@campus.example", "plainText": "x"}}, 400, "content.subject"),
        ({"senderAddress": None}, 400, "senderAddress"),
        ({"attachments": [{"name": "a", "contentType": "text/csv", "contentInBase64": "?"}]}, 400, "not base64"),
        ({"content": {"subject": "Hello", "plainText": "x" * (10 * 2**20)}}, 413, "10485760 are allowed"),
    ],
    ids=["recipients", "nobody", "address", "empty", "subject", "sender", "attachment", "size"],
)
def test_an_invalid_message_is_rejected_with_the_field(
    emulator: EmulatorProcess, client: EmailClient, changes: dict[str, Any], status: int, expected_text: str
) -> None:
    error = refused(client, message(**changes))
    assert (error.status_code, expected_text in str(error)) == (status, True), str(error)
    assert emulator.control("GET", "mail") == []


def test_recipients_are_rejected_or_suppressed(
    emulator: EmulatorProcess, client: EmailClient, connection: http.client.HTTPSConnection
) -> None:
    emulator.control("POST", "faults", {"profile": "mail-recipients"})

    def status(operation_id: str) -> Any:
        target = f"/emails/operations/{operation_id}?api-version=2025-09-01"
        return raw_request(connection, "GET", target, b"", signed(emulator, "GET", target, b"", datetime.now(UTC)))[1]

    def send(*names: str) -> str:
        id, people = str(uuid.uuid4()), [{"address": f"{name}@campus.example"} for name in names]
        client.begin_send(cast(Any, message(recipients={"to": people})), operation_id=id, polling=False)
        return id

    some, all_of_them = send("dana", "suppressed1"), send("suppressed1", "suppressed2")
    emulator.control("POST", "clock", {"advance_seconds": 60})
    assert [status(id)["status"] for id in (some, all_of_them)] == ["Succeeded", "Failed"]
    assert status(all_of_them)["error"]["code"] == "EmailDroppedAllRecipientsSuppressed"
    assert [accepted["suppressed"] for accepted in emulator.control("GET", "mail")] == [
        ["suppressed1@campus.example"],
        ["suppressed1@campus.example", "suppressed2@campus.example"],
    ]
    with pytest.raises(HttpResponseError, match="Invalid format for email address"):
        send("dana", "refused1")


def test_fifty_recipients_get_one_message(emulator: EmulatorProcess, client: EmailClient) -> None:
    client.begin_send(cast(Any, message(recipients=recipients(50))), polling=False)
    assert len(emulator.control("GET", "mail")[0]["to"]) == 50


def test_a_wrong_key_is_rejected(emulator: EmulatorProcess, client: EmailClient) -> None:
    wrong = base64.b64encode(b"wrong").decode()
    stranger = EmailClient.from_connection_string(f"endpoint={emulator.mail_endpoint};accesskey={wrong}")
    assert refused(stranger, message()).status_code == 401


def test_a_client_without_the_ca_gets_no_connection(
    emulator: EmulatorProcess, client: EmailClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
        client.begin_send(cast(Any, message()), polling=False)


@pytest.fixture
def connection(emulator: EmulatorProcess) -> Iterator[http.client.HTTPSConnection]:
    address = urlsplit(emulator.mail_endpoint)
    context = ssl.create_default_context(cafile=emulator.mail_ca)
    made = http.client.HTTPSConnection(address.hostname or "", address.port, timeout=30, context=context)
    yield made
    made.close()


def signed(emulator: EmulatorProcess, method: str, target: str, body: bytes, date: datetime) -> dict[str, str]:
    """Return the headers of a request, signed as documented."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    host, stamp = urlsplit(emulator.mail_endpoint).netloc, format_datetime(date, usegmt=True)
    text = f"{method}\n{target}\n{stamp};{host};{digest}".encode()
    signature = base64.b64encode(hmac.digest(base64.b64decode(emulator.mail_key), text, "sha256")).decode()
    return {
        "x-ms-date": stamp,
        "x-ms-content-sha256": digest,
        "Authorization": f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}",
    }


def raw_request(
    connection: http.client.HTTPSConnection, method: str, target: str, body: bytes, headers: dict[str, str]
) -> tuple[int, Any]:
    connection.request(method, target, body, headers)
    with connection.getresponse() as answer:
        return answer.status, json.loads(answer.read())


SEND = "/emails:send?api-version=2025-09-01"


def test_a_signature_is_only_valid_for_its_content_target_and_date(
    emulator: EmulatorProcess, connection: http.client.HTTPSConnection
) -> None:
    body, now = json.dumps(message()).encode(), datetime.now(UTC)
    good = signed(emulator, "POST", SEND, body, now)
    cases = {
        "right": (SEND, body, good),
        "other content": (SEND, body + b" ", good),
        "other target": (SEND + "&x=1", body, good),
        "no signature": (SEND, body, {}),
        "a token": (SEND, body, {**good, "Authorization": "Bearer token"}),
        "old": (SEND, body, signed(emulator, "POST", SEND, body, now - timedelta(minutes=6))),
        "nonsense for a date": (SEND, body, {**good, "x-ms-date": "yesterday"}),
    }
    got = {name: raw_request(connection, "POST", *case)[0] for name, case in cases.items()}
    assert got == dict.fromkeys(cases, 401) | {"right": 202}


@pytest.mark.parametrize(
    ("target", "headers", "expected"),
    [
        ("/emails:send", {}, 400),
        ("/emails:send?api-version=2022-01-01", {}, 400),
        (SEND, {"Operation-Id": "no guid"}, 400),
        ("/emails:other?api-version=2025-09-01", {}, 501),
    ],
)
def test_invalid_raw_requests_are_rejected(
    emulator: EmulatorProcess,
    connection: http.client.HTTPSConnection,
    target: str,
    headers: dict[str, str],
    expected: int,
) -> None:
    body = json.dumps(message()).encode()
    proof = signed(emulator, "POST", target, body, datetime.now(UTC))
    assert raw_request(connection, "POST", target, body, {**proof, **headers})[0] == expected


def test_an_unknown_operation_is_not_found(emulator: EmulatorProcess, connection: http.client.HTTPSConnection) -> None:
    target = f"/emails/operations/{FIRST}?api-version=2025-09-01"
    status, answer = raw_request(
        connection, "GET", target, b"", signed(emulator, "GET", target, b"", datetime.now(UTC))
    )
    assert (status, answer["error"]["code"]) == (404, "NotFound")


def test_mail_is_not_served_without_tls(emulator: EmulatorProcess) -> None:
    assert emulator.request("POST", SEND, message())[0] == 501


@pytest.mark.parametrize(
    ("profile", "a_minute", "an_hour"), [("mail-own-domain", 30, 100), ("mail-managed-domain", 5, 10)]
)
def test_sends_are_limited_per_minute_and_hour_by_the_emulator_s_clock(
    emulator: EmulatorProcess, client: EmailClient, profile: str, a_minute: int, an_hour: int
) -> None:
    emulator.control("POST", "faults", {"profile": profile})
    accepted = 0
    waits = []
    for _ in range(an_hour // a_minute + 2):
        try:
            while True:
                client.begin_send(cast(Any, message()), polling=False)
                accepted += 1
        except HttpResponseError as error:
            assert error.status_code == 429 and error.response
            waits.append(int(cast(Any, error.response).headers["Retry-After"]))
            emulator.control("POST", "clock", {"advance_seconds": 60 if accepted < an_hour else 0})
    assert accepted == an_hour
    assert 50 <= waits[0] <= 60 and waits[-1] > 3000
    emulator.control("POST", "clock", {"advance_seconds": waits[-1]})
    client.begin_send(cast(Any, message()), polling=False)


def test_status_requests_have_separate_limits(
    emulator: EmulatorProcess, client: EmailClient, connection: http.client.HTTPSConnection
) -> None:
    emulator.control("POST", "faults", {"profile": "mail-managed-domain"})
    target = f"/emails/operations/{FIRST}?api-version=2025-09-01"
    proof = signed(emulator, "GET", target, b"", datetime.now(UTC))
    assert [raw_request(connection, "GET", target, b"", proof)[0] for _ in range(11)] == [404] * 10 + [429]
    client.begin_send(cast(Any, message()), polling=False)


@pytest.mark.parametrize("kind", ["429", "500", "503"])
def test_mail_faults_have_the_format_of_the_service(emulator: EmulatorProcess, client: EmailClient, kind: str) -> None:
    rule = {"match": "POST /emails:send", "kind": kind, "count": 1, "retry_after": 7}
    emulator.control("POST", "faults", {"rules": [rule]})
    error = refused(client, message())
    assert error.status_code == int(kind) and error.response and error.error
    assert cast(Any, error.response).headers["Retry-After"] == "7"
    client.begin_send(cast(Any, message()), polling=False)
    assert len(emulator.control("GET", "mail")) == 1


@pytest.mark.parametrize(("kind", "delivered"), [("reset", 0), ("hang", 0), ("truncate", 1)])
def test_a_broken_connection_leaves_delivery_unknown(
    emulator: EmulatorProcess, client: EmailClient, kind: str, delivered: int
) -> None:
    emulator.control("POST", "faults", {"rules": [{"match": "POST /emails:send", "kind": kind, "count": 1}]})
    with pytest.raises((ServiceRequestError, ServiceResponseError, HttpResponseError)):
        client.begin_send(cast(Any, message()), operation_id=FIRST, polling=False, read_timeout=1)
    assert len(emulator.control("GET", "mail")) == delivered
    client.begin_send(cast(Any, message()), operation_id=FIRST, polling=False)
    assert len(emulator.control("GET", "mail")) == 1


def test_an_operation_is_running_for_one_transition(
    start_emulator: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, state = tmp_path / "letters", tmp_path / "lab.json"
    emulator = start_emulator("--mail-dir", folder, "--speed", 0, "--state", state)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", emulator.mail_ca)
    client = EmailClient.from_connection_string(emulator.mail_connection_string)
    sent = message(
        content={"subject": "דו״ח", "html": '<img src="cid:day">', "plainText": "x"},
        attachments=[{"name": "day.png", "contentType": "image/png", "contentInBase64": PNG, "contentId": "day"}],
    )
    poller = client.begin_send(cast(Any, sent), operation_id=FIRST, polling=False)
    assert poller.result()["status"] == "Running"
    emulator.control("POST", "clock", {"advance_seconds": 2})
    assert client.begin_send(cast(Any, sent), operation_id=FIRST).result()["status"] == "Succeeded"
    written = [*folder.iterdir()]
    assert [file.name for file in written] == [f"00001-{FIRST}.eml"]
    assert (written[0].stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    mail = email.message_from_bytes(written[0].read_bytes(), policy=email.policy.default)
    assert (mail["To"], mail["Subject"]) == ("dana@campus.example", "דו״ח")
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]
    emulator.stop()
    again = start_emulator("--state", state)
    assert [accepted["operation_id"] for accepted in again.control("GET", "mail")] == [FIRST]


def test_the_ca_is_deleted_when_the_emulator_stops(start_emulator: Any) -> None:
    emulator = start_emulator()
    assert Path(emulator.mail_ca).read_text().startswith("-----BEGIN CERTIFICATE-----")
    emulator.stop()
    assert not Path(emulator.mail_ca).exists()

"""Messages that the versions of the email API accept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.mail.errors import MailError
from emulator.mail.messages import VERSIONS, Message, parse

IMAGE = {"name": "a.png", "contentType": "image/png", "contentInBase64": "eA==", "contentId": "a"}


def message(**changes: Any) -> bytes:
    plain: dict[str, Any] = {
        "senderAddress": "lab@campus.example",
        "content": {"subject": "Hello", "plainText": "Hello."},
        "recipients": {"to": [{"address": "dana@campus.example"}]},
        "userEngagementTrackingDisabled": True,
    }
    return json.dumps(plain | changes).encode()


def refusal(raw: bytes, version: str) -> str:
    with pytest.raises(MailError) as caught:
        parse(raw, version)
    return caught.value.message


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_accepts_a_plain_message(version: str) -> None:
    assert parse(message(), version).addresses == ["dana@campus.example"]


def test_inline_images_need_the_second_api_version() -> None:
    raw = message(attachments=[IMAGE])
    assert [parse(raw, version).attachments[0].content_id for version in VERSIONS[1:]] == ["a", "a"]
    assert refusal(raw, VERSIONS[0]) == "attachments.0: version 2023-03-31 of the API has no field 'contentId' here"


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"importance": "high"}, "the message"),
        ({"content": {"subject": "s", "plainText": "t", "amp": "x"}}, "content"),
        ({"recipients": {"to": [{"address": "dana@campus.example", "name": "Dana"}]}}, "recipients.to.0"),
    ],
)
def test_an_unknown_field_is_rejected_with_its_location(changes: dict[str, Any], place: str) -> None:
    (field,) = {"importance", "amp", "name"} & set(json.dumps(changes).split('"'))
    message_text = refusal(message(**changes), VERSIONS[-1])
    assert message_text == f"{place}: version {VERSIONS[-1]} of the API has no field '{field}' here"


def test_messages_in_older_states_can_be_read() -> None:
    kept = json.loads(message(importance="high"))
    assert Message.model_validate(kept).content.subject == "Hello"

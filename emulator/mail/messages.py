"""Validates messages: fields, recipients, attachments, size."""

import base64
import binascii
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel

from emulator.api.routing import parse_json
from emulator.mail.errors import MailError

VERSIONS = ("2023-03-31", "2024-07-01-preview", "2025-09-01")
"""Versions of the API, oldest first."""
MAX_RECIPIENTS = 50
MAX_BYTES = 10 * 2**20
"""Maximum size of one request in bytes, including attachments in base64."""


def _one_line(text: str) -> str:
    if any(ord(character) < 32 for character in text):
        raise ValueError("must be one line without control characters")
    return text


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None
    return text


SingleLine = Annotated[str, Field(min_length=1), AfterValidator(_one_line)]


class _MessagePart(BaseModel):
    """A part of a message. In requests, which have the API version in the context, unknown fields are rejected."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", strict=True)

    introduced_in: ClassVar[dict[str, str]] = {}
    """Field → first API version with it, for fields that not all versions have."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_fields(cls, data: Any, info: ValidationInfo) -> Any:
        if isinstance(data, dict) and info.context:
            version = info.context["version"]
            known = {to_camel(name) for name in cls.model_fields}
            for name in data:
                first = cls.introduced_in.get(name, VERSIONS[0])
                if name not in known or VERSIONS.index(first) > VERSIONS.index(version):
                    raise ValueError(f"version {version} of the API has no field {name!r} here")
        return data


class EmailAddress(_MessagePart):
    address: Annotated[str, Field(pattern=r'^[^\s@<>,;:"()\[\]\\]+@[^\s@<>,;:"()\[\]\\]+$', max_length=320)]
    display_name: Annotated[str, AfterValidator(_one_line)] | None = None


class MessageContent(_MessagePart):
    subject: SingleLine
    plain_text: str | None = None
    html: str | None = None

    @model_validator(mode="after")
    def _has_body(self) -> Self:
        if not self.plain_text and not self.html:
            raise ValueError("plainText or html is required")
        return self


class Recipients(_MessagePart):
    to: list[EmailAddress] = Field(default_factory=list)
    cc: list[EmailAddress] = Field(default_factory=list)
    bcc: list[EmailAddress] = Field(default_factory=list)

    @model_validator(mode="after")
    def _check_count(self) -> Self:
        count = len(self.to) + len(self.cc) + len(self.bcc)
        if count == 0:
            raise ValueError("at least one recipient is required")
        if count > MAX_RECIPIENTS:
            raise ValueError(f"{count} recipients are more than {MAX_RECIPIENTS}")
        return self


class Attachment(_MessagePart):
    introduced_in = {"contentId": "2024-07-01-preview"}

    name: SingleLine
    content_type: Annotated[str, Field(pattern=r"^[\w.+-]+/[\w.+-]+(\s*;.*)?$"), AfterValidator(_one_line)]
    content_in_base64: Annotated[str, AfterValidator(_base64)]
    content_id: SingleLine | None = None
    """The id in `<img src="cid:…">` in the HTML."""


class Message(_MessagePart):
    sender_address: Annotated[str, Field(pattern=r"^[^\s@<>]+@[^\s@<>]+$")]
    content: MessageContent
    recipients: Recipients
    attachments: list[Attachment] = Field(default_factory=list)
    reply_to: list[EmailAddress] = Field(default_factory=list)
    headers: dict[str, str] = Field(default_factory=dict)
    user_engagement_tracking_disabled: bool = False

    @property
    def addresses(self) -> list[str]:
        """The addresses of all recipients."""
        recipients = self.recipients
        return [one.address for one in (*recipients.to, *recipients.cc, *recipients.bcc)]


def parse(raw: bytes, version: str) -> Message:
    """Parse the message in a request to this version of the API.

    Raises 413 if the message is too large, and 400 with the field for any other error.
    """
    if len(raw) > MAX_BYTES:
        raise MailError(413, f"The message has {len(raw)} bytes; {MAX_BYTES} are allowed.")
    try:
        return Message.model_validate(parse_json(raw), context={"version": version})
    except ValidationError as error:
        first: Any = error.errors()[0]
        location = ".".join(str(part) for part in first["loc"]) or "the message"
        raise MailError(400, f"{location}: {first['msg'].removeprefix('Value error, ')}") from None

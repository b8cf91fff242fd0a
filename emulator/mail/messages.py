"""What a message may look like: shape, recipients, attachments, size."""

import base64
import binascii
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from emulator.api.routing import parse_json
from emulator.mail.errors import MailError

MOST_RECIPIENTS = 50
MOST_BYTES = 10 * 2**20
"""Of one request, attachments in base64 included."""


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


Line = Annotated[str, Field(min_length=1), AfterValidator(_one_line)]


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", strict=True)


class Address(_Part):
    address: Annotated[str, Field(pattern=r'^[^\s@<>,;:"()\[\]\\]+@[^\s@<>,;:"()\[\]\\]+$', max_length=320)]
    display_name: Annotated[str, AfterValidator(_one_line)] | None = None


class Content(_Part):
    subject: Line
    plain_text: str | None = None
    html: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.plain_text and not self.html:
            raise ValueError("plainText or html is required")
        return self


class Recipients(_Part):
    to: list[Address] = Field(default_factory=list)
    cc: list[Address] = Field(default_factory=list)
    bcc: list[Address] = Field(default_factory=list)

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        count = len(self.to) + len(self.cc) + len(self.bcc)
        if count == 0:
            raise ValueError("at least one recipient is required")
        if count > MOST_RECIPIENTS:
            raise ValueError(f"{count} recipients are more than {MOST_RECIPIENTS}")
        return self


class Attachment(_Part):
    name: Line
    content_type: Annotated[str, Field(pattern=r"^[\w.+-]+/[\w.+-]+(\s*;.*)?$"), AfterValidator(_one_line)]
    content_in_base64: Annotated[str, AfterValidator(_base64)]
    content_id: Line | None = None
    """What an `<img src="cid:…">` of the HTML shows."""


class Message(_Part):
    sender_address: Annotated[str, Field(pattern=r"^[^\s@<>]+@[^\s@<>]+$")]
    content: Content
    recipients: Recipients
    attachments: list[Attachment] = Field(default_factory=list)
    reply_to: list[Address] = Field(default_factory=list)
    headers: dict[str, str] = Field(default_factory=dict)


def parse(raw: bytes) -> Message:
    """The message of a request. Raises 413 for one that is too large and 400 with the place for any other fault."""
    if len(raw) > MOST_BYTES:
        raise MailError(413, f"The message has {len(raw)} bytes; {MOST_BYTES} are allowed.")
    try:
        return Message.model_validate(parse_json(raw))
    except ValidationError as error:
        first: Any = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the message"
        raise MailError(400, f"{place}: {first['msg'].removeprefix('Value error, ')}") from None

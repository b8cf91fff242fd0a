"""Accepted messages as .eml files, which any mail program can open."""

import base64
import re
from datetime import UTC, datetime
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage, MIMEPart
from pathlib import Path
from typing import cast

from emulator.mail.messages import Attachment, EmailAddress, Message
from emulator.models.mail import SendOperation
from labkit.files import MARKER_HEADER, marker_line, write_private


def write(folder: Path, number: int, operation: SendOperation) -> None:
    """Write the message to `00001-<operation id>.eml`, readable by the owner only."""
    name = re.sub(r"[^0-9a-zA-Z-]", "_", operation.id)
    write_private(folder / f"{number:05}-{name}.eml", as_bytes(operation), durable=False)


def as_bytes(operation: SendOperation) -> bytes:
    """Return the message in RFC 5322 format, with HTML as an alternative to the text, and inline images related to
    it."""
    message = Message.model_validate(operation.message)
    mail = EmailMessage()
    mail["From"] = message.sender_address
    for name, addresses in (
        ("To", message.recipients.to),
        ("Cc", message.recipients.cc),
        ("Reply-To", message.reply_to),
    ):
        if addresses:
            mail[name] = [_mailbox(address) for address in addresses]
    mail["Subject"] = message.content.subject
    mail["Date"] = accepted = datetime.fromtimestamp(operation.accepted / 1000, UTC)
    mail[MARKER_HEADER] = marker_line("mail", accepted.date())
    mail["Message-ID"] = f"<{operation.id}@mail.emulator>"
    inline = [attachment for attachment in message.attachments if attachment.content_id]
    text, html = message.content.plain_text, message.content.html
    if text is not None:
        mail.set_content(text)
    if html is not None and text is not None:
        mail.add_alternative(html, subtype="html")
    elif html is not None:
        mail.set_content(html, subtype="html")
    page = cast(MIMEPart, mail.get_body(("html",)))
    for attachment in inline if page else ():
        page.add_related(
            _content(attachment),
            *_kind(attachment),
            cid=f"<{attachment.content_id}>",
            filename=attachment.name,
            disposition="inline",
        )
    for attachment in message.attachments:
        if attachment not in inline or not page:
            mail.add_attachment(_content(attachment), *_kind(attachment), filename=attachment.name)
    return mail.as_bytes()


def _mailbox(address: EmailAddress) -> Mailbox:
    return Mailbox(display_name=address.display_name or "", addr_spec=address.address)


def _content(attachment: Attachment) -> bytes:
    return base64.b64decode(attachment.content_in_base64)


def _kind(attachment: Attachment) -> tuple[str, str]:
    main, _, sub = attachment.content_type.partition(";")[0].strip().partition("/")
    return main, sub

"""Text of other people, made safe for terminals, logs, mails and error messages. Pure."""

import re
import unicodedata
from collections.abc import Iterable

LINE_LENGTH = 300
"""Characters of a line in a mail, a log or an error message."""
QUOTED_LENGTH = 60
"""Characters of a quotation in an error message."""

_CONTROL_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control and format characters (among them those that turn the direction of writing), surrogates, line separators."""
_JOINERS = "\u200c\u200d"
"""Needed to write some languages and symbols; they move nothing."""
_INVISIBLE = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]+"
)
_INVISIBLE_IN_MULTILINE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+"
)
_SECRETS = (
    re.compile(r"\bdapi[0-9a-fA-F-]{8,}"),
    re.compile(r"(?i)(?<=accesskey=)[^;\s\"']+"),
    re.compile(r"(?i)(?<=bearer )\S+"),
    re.compile(r"(?i)(?<=signature=)\S+"),
    re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"),
    # Signatures and keys of storages.
    re.compile(r"(?i)(?<=\bsig=)[^&\s\"']+"),
    re.compile(r"(?i)(?<=accountkey=)[^;\s\"']+"),
    re.compile(r"(?i)(?<=password=)[^&\s\"']+"),
    # A password in an address may hold any sign; that of a database also blanks.
    re.compile(r"(?i)(?<=postgres://)[^\n]*(?=@)"),
    re.compile(r"(?i)(?<=postgresql://)[^\n]*(?=@)"),
    re.compile(r"(?i)(?<=psycopg3://)[^\n]*(?=@)"),
    re.compile(r"(?<=://)[^/\s:@]+:(?!\d{1,5}(?:[/?#]|$))\S+(?=@)"),
)


def escaped(text: object) -> str:
    """The text in one line, with control and bidirectional characters escaped, such as `\\x1b` and `\\u202e`."""
    shown = str(text)
    if shown.isprintable():
        return shown
    return "".join(character if is_displayable(character) else _escape(character) for character in shown)


def is_displayable(character: str) -> bool:
    """Whether a terminal shows the character and does not obey it."""
    return character in _JOINERS or unicodedata.category(character) not in _CONTROL_CATEGORIES


def quoted(text: str) -> str:
    """The text in quotes for an error message: escaped, and not too long."""
    short = text if len(text) <= QUOTED_LENGTH else text[: QUOTED_LENGTH - 1] + "…"
    return f'"{escaped(short)}"'


def one_line(text: str, length: int = LINE_LENGTH) -> str:
    """The text in one line of limited length, without invisible characters and with single spaces."""
    seen = " ".join(_INVISIBLE.sub(" ", text).split())
    return seen if len(seen) <= length else f"{seen[: length - 1]}…"


def multiline(text: str, length: int = 20_000) -> str:
    """The text with its lines and without invisible characters; of what is too long the end is kept."""
    return _INVISIBLE_IN_MULTILINE.sub(" ", text.replace("\r\n", "\n"))[-length:]


def first_line(error: object) -> str:
    """The first line of an error without its full stop; the name of its type where it says nothing.

    The Databricks SDK appends its configuration to some messages, which may tell too much; it is cut off.
    """
    lines = str(error).strip().splitlines()
    text = lines[0].split(" Config: ")[0].rstrip(".") if lines else ""
    return text or type(error).__name__


def redact_secrets(text: str, known: Iterable[str] = ()) -> str:
    """The text with tokens, keys, passwords in URLs and the `known` secrets replaced by `…`."""
    for secret in known:
        text = text.replace(secret, "…") if secret else text
    for pattern in _SECRETS:
        text = pattern.sub("…", text)
    return text


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

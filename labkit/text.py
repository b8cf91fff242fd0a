"""Makes untrusted text safe for terminals, logs, emails and error messages. Pure."""

import re
import unicodedata
from collections.abc import Iterable

LINE_LENGTH = 300
"""Maximum length of a line in an email, a log or an error message, in characters."""
QUOTED_LENGTH = 60
"""Maximum length of a quoted string in an error message, in characters."""

_CONTROL_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories of control and format characters (also bidirectional ones), surrogates and line separators."""
_JOINERS = "\u200c\u200d"
"""Zero-width joiners: some languages and symbols need them, and they cannot change the direction of text."""
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
    # Storage account signatures and keys.
    re.compile(r"(?i)(?<=\bsig=)[^&\s\"']+"),
    re.compile(r"(?i)(?<=accountkey=)[^;\s\"']+"),
    re.compile(r"(?i)(?<=password=)[^&\s\"']+"),
    # A password in a URL may contain any character; in a database URL also spaces.
    re.compile(r"(?i)(?<=postgres://)[^\n]*(?=@)"),
    re.compile(r"(?i)(?<=postgresql://)[^\n]*(?=@)"),
    re.compile(r"(?i)(?<=psycopg3://)[^\n]*(?=@)"),
    re.compile(r"(?<=://)[^/\s:@]+:(?!\d{1,5}(?:[/?#]|$))\S+(?=@)"),
)


def escaped(text: object) -> str:
    """Return the text as one line, with control and bidirectional characters escaped, such as `\\x1b` and `\\u202e`."""
    raw = str(text)
    if raw.isprintable():
        return raw
    return "".join(character if is_displayable(character) else _escape(character) for character in raw)


def is_displayable(character: str) -> bool:
    """Return whether a terminal shows the character, instead of interpreting it."""
    return character in _JOINERS or unicodedata.category(character) not in _CONTROL_CATEGORIES


def quoted(text: str) -> str:
    """Return the text in quotation marks for an error message, escaped and at most QUOTED_LENGTH characters long."""
    short = text if len(text) <= QUOTED_LENGTH else text[: QUOTED_LENGTH - 1] + "…"
    return f'"{escaped(short)}"'


def one_line(text: str, length: int = LINE_LENGTH) -> str:
    """Return the text as one line of limited length, with single spaces and without invisible characters."""
    seen = " ".join(_INVISIBLE.sub(" ", text).split())
    return seen if len(seen) <= length else f"{seen[: length - 1]}…"


def multiline(text: str, length: int = 20_000) -> str:
    """Return the text with line breaks, without invisible characters; only the last `length` characters are kept."""
    return _INVISIBLE_IN_MULTILINE.sub(" ", text.replace("\r\n", "\n"))[-length:]


def first_line(error: object) -> str:
    """Return the first line of an error without its full stop; the name of its type if the message is empty.

    The Databricks SDK appends its configuration to some messages; that part may contain secrets and is removed.
    """
    lines = str(error).strip().splitlines()
    text = lines[0].split(" Config: ")[0].rstrip(".") if lines else ""
    return text or type(error).__name__


def redact_secrets(text: str, known: Iterable[str] = ()) -> str:
    """Return the text with tokens, keys, passwords in URLs and the `known` secrets replaced by `…`."""
    for secret in known:
        text = text.replace(secret, "…") if secret else text
    for pattern in _SECRETS:
        text = pattern.sub("…", text)
    return text


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

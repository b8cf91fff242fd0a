"""E-mail addresses and database URLs: what they are, and how they are kept and shown. Pure."""

import re
import unicodedata

# Letters of any language, digits, and the signs that mail systems use. What Terraform ($ { } %), a path (/ \ *) or
# a table (, ; | ") would read as its own is left out: an address becomes a key, a folder and a cell.
_LOCAL = r"[\w!#&'+=^~-]+(?:\.[\w!#&'+=^~-]+)*"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_ADDRESS = re.compile(rf"{_LOCAL}@(?:{_LABEL}\.)+{_LABEL}")
_MAX_ADDRESS = 254
_BEFORE_ADDRESS = re.compile(r"^[\s']+")
_DATABASE_SCHEMES = ("postgres://", "postgresql://", "psycopg3://")
_SECRET_PARAMETER = re.compile(r"(?i)(?<=password=)[^&]*")


def normalised_address(cell: str) -> str:
    """The address as it is kept: NFC, lower case, no spaces, marks or spreadsheet's apostrophes around it."""
    visible = "".join(letter for letter in cell if unicodedata.category(letter) != "Cf")
    lowered = unicodedata.normalize("NFC", unicodedata.normalize("NFC", visible).lower())
    return _BEFORE_ADDRESS.sub("", lowered.strip())


def is_address(text: str) -> bool:
    """Whether this is a whole, normalised e-mail address that can become an account."""
    return len(text) <= _MAX_ADDRESS and _ADDRESS.fullmatch(text) is not None


def is_database_url(place: str) -> bool:
    """Whether the place of a database is a URL of PostgreSQL and not a path."""
    return place.startswith(_DATABASE_SCHEMES)


def database_url(place: str, scheme: str) -> str:
    """The same URL with the scheme that a library expects, such as `postgresql`."""
    return f"{scheme}://{place.partition('://')[2]}"


def without_credentials(url: str) -> str:
    """The URL without user, password and secret parameters, for a message; also where it is malformed."""
    scheme, separator, rest = url.partition("://")
    # Everything before the last @, because a password that is not encoded may hold any character.
    return f"{scheme}{separator}{_SECRET_PARAMETER.sub('…', rest).rpartition('@')[2]}"

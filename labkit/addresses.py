"""E-mail addresses and database URLs: what they are, and how they are kept and shown. Pure."""

import ipaddress
import re
import unicodedata
from urllib.parse import unquote

# Letters of any language, digits, and the signs that mail systems use. What Terraform ($ { } %), a path (/ \ *) or
# a table (, ; | ") would read as its own is left out: an address becomes a key, a folder and a cell.
_LOCAL = r"[\w!#&'+=^~-]+(?:\.[\w!#&'+=^~-]+)*"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_ADDRESS = re.compile(rf"{_LOCAL}@(?:{_LABEL}\.)+{_LABEL}")
_MAX_ADDRESS = 254
_BEFORE_ADDRESS = re.compile(r"^[\s']+")
_DATABASE_SCHEMES = ("postgres", "postgresql", "psycopg3")
DATABASE_FORMAT = (
    "a path, or postgresql://USER:PASSWORD@HOST:PORT/NAME in which blanks and the signs / # ? @ % of a password are "
    "percent-encoded"
)
"""What a message says is expected where the place of a database cannot be used."""
_PERCENT_ENCODED = r"(?:[^@/?#%\s]|%[0-9A-Fa-f]{2})"
_QUERY_VALUE = r"(?:[^@&?#%\s]|%[0-9A-Fa-f]{2})"
_HOST = r"(?:[\w.-]*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"
_DATABASE = re.compile(
    rf"(?P<scheme>\w+)://(?:(?P<user>(?:(?!:){_PERCENT_ENCODED})*)(?::(?P<password>{_PERCENT_ENCODED}*))?@)?"
    rf"(?P<hosts>{_HOST}(?:,{_HOST})*)(?:/(?P<name>{_PERCENT_ENCODED}*))?"
    rf"(?:\?(?P<query>\w+={_QUERY_VALUE}*(?:&\w+={_QUERY_VALUE}*)*))?"
)
_LOOKS_LIKE_URL = re.compile(r"\s*(?:\w[\w+.-]*:/|[^:]*://|[^:]*:.*@)", re.DOTALL)
"""A path would not begin so; a mistyped address would, and a file named after its password must not be made."""


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
    scheme, separator, _ = place.partition("://")
    return bool(separator) and scheme.lower() in _DATABASE_SCHEMES


def validate_database(place: str) -> str:
    """The place of a database: a path, or a URL of PostgreSQL that is well formed.

    Raises ValueError for anything else, and for a path that looks like an address: no file is named after a password.
    The text of the error is DATABASE_FORMAT and holds nothing of the place.
    """
    if is_database_url(place):
        database_parameters(place)
    elif _LOOKS_LIKE_URL.match(place):
        raise ValueError(DATABASE_FORMAT)
    return place


def database_parameters(url: str) -> dict[str, str]:
    """What to connect with, by the names that PostgreSQL's clients give. Raises ValueError as `validate_database`."""
    found = _DATABASE.fullmatch(url)
    if found is None or not is_database_url(url):
        raise ValueError(DATABASE_FORMAT)
    hosts = [
        host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "") for host in found["hosts"].split(",")
    ]
    ports = [port for _, _, port in hosts]
    parameters = {
        "host": ",".join(host.strip("[]") for host, _, _ in hosts),
        "port": ",".join(ports) if any(ports) else "",
        "user": found["user"] or "",
        "password": found["password"] or "",
        "dbname": found["name"] or "",
    }
    parameters |= dict(pair.split("=", 1) for pair in (found["query"] or "").split("&") if pair)
    return {name: unquote(value) for name, value in parameters.items() if value}


def redact_database_url(url: str) -> str:
    """The URL of a database without user, password and parameters, for a message; also where it is malformed."""
    found = _DATABASE.fullmatch(url)
    if found is None:
        return f"{url.partition('://')[0]}://…" if is_database_url(url) else "…"
    return f"{found['scheme']}://{found['hosts']}/{found['name'] or ''}"


def is_loopback(name: str) -> bool:
    """Whether the name or IP address of a host is that of this machine itself."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost" or name.lower().endswith(".localhost")

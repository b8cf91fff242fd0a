"""E-mail addresses, database URLs and loopback addresses: validation, normal form, and redaction. Pure."""

import ipaddress
import re
import unicodedata
from urllib.parse import unquote

# Letters of any language, digits, and the signs that mail systems use. Characters with a meaning in Terraform
# ($ { } %), in paths (/ \ *) or in tables (, ; | ") are excluded: an address becomes a key, a folder name and a cell.
_LOCAL = r"[\w!#&'+=^~-]+(?:\.[\w!#&'+=^~-]+)*"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_ADDRESS = re.compile(rf"{_LOCAL}@(?:{_LABEL}\.)+{_LABEL}")
_MAX_ADDRESS = 254
_BEFORE_ADDRESS = re.compile(r"^[\s']+")
_DATABASE_SCHEMES = ("postgres", "postgresql", "psycopg3")
DATABASE_FORMAT = (
    "a path, or postgresql://USER:PASSWORD@HOST:PORT/NAME, with spaces and the characters / # ? @ % of a password "
    "percent-encoded"
)
"""The expected format of a database location, for error messages."""
_PERCENT_ENCODED = r"(?:[^@/?#%\s]|%[0-9A-Fa-f]{2})"
_QUERY_VALUE = r"(?:[^@&?#%\s]|%[0-9A-Fa-f]{2})"
_HOST = r"(?:[\w.-]*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"
_DATABASE = re.compile(
    rf"(?P<scheme>\w+)://(?:(?P<user>(?:(?!:){_PERCENT_ENCODED})*)(?::(?P<password>{_PERCENT_ENCODED}*))?@)?"
    rf"(?P<hosts>{_HOST}(?:,{_HOST})*)(?:/(?P<name>{_PERCENT_ENCODED}*))?"
    rf"(?:\?(?P<query>\w+={_QUERY_VALUE}*(?:&\w+={_QUERY_VALUE}*)*))?"
)
_LOOKS_LIKE_URL = re.compile(r"\s*(?:\w[\w+.-]*:/|[^:]*://|[^:]*:.*@)", re.DOTALL)
"""The start of a mistyped URL. Such a string is not accepted as a path: the file name would contain the password."""


def normalised_address(cell: str) -> str:
    """Return the address in NFC and lower case, without invisible characters, and without surrounding spaces.

    A leading apostrophe, which spreadsheets add, is removed, too.
    """
    visible = "".join(character for character in cell if unicodedata.category(character) != "Cf")
    lower_case = unicodedata.normalize("NFC", unicodedata.normalize("NFC", visible).lower())
    return _BEFORE_ADDRESS.sub("", lower_case.strip())


def is_address(text: str) -> bool:
    """Return whether the string is a single, normalised e-mail address that an account can have."""
    return len(text) <= _MAX_ADDRESS and _ADDRESS.fullmatch(text) is not None


def is_database_url(location: str) -> bool:
    """Return whether a database location is a PostgreSQL URL and not a path."""
    scheme, separator, _ = location.partition("://")
    return bool(separator) and scheme.lower() in _DATABASE_SCHEMES


def validate_database(location: str) -> str:
    """Return a database location unchanged if it is a path or a well-formed PostgreSQL URL.

    Raises ValueError for a malformed URL, and for a path that looks like a URL: no file name may contain a password.
    The message is DATABASE_FORMAT and contains no part of the location.
    """
    if is_database_url(location):
        database_parameters(location)
    elif _LOOKS_LIKE_URL.match(location):
        raise ValueError(DATABASE_FORMAT)
    return location


def database_parameters(url: str) -> dict[str, str]:
    """Return the parameters in a PostgreSQL URL under libpq's names. Raises ValueError as `validate_database` does."""
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
    """Return a database URL without user, password and parameters, for messages. Accepts malformed URLs, too."""
    found = _DATABASE.fullmatch(url)
    if found is None:
        return f"{url.partition('://')[0]}://…" if is_database_url(url) else "…"
    return f"{found['scheme']}://{found['hosts']}/{found['name'] or ''}"


def is_loopback(name: str) -> bool:
    """Return whether a host name or IP address is a loopback address."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost" or name.lower().endswith(".localhost")

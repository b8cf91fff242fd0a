"""Reads users files. Pure: no I/O."""

from labkit.csv_cells import unescape_formula
from labkit.tables import TableError, decode, read_table

NAME_COLUMNS = ("username", "user_name", "email", "e-mail", "email address", "e-mail address", "mail")
"""Accepted headers in lower case; `userName` is also accepted. The first matching column is read."""
COMMENT_PREFIX = "#"
"""Starts a comment in a users file."""


class UsersFileError(ValueError):
    """The users file cannot be used; the message has the line."""


def read_users_file(data: bytes, name: str) -> list[str]:
    """Return the names in a users file, in order, without duplicates. Raises UsersFileError.

    The file has one name per line, or is a table with a column such as `username` or `email`. Lines that start with #
    are comments. Encoding and delimiter are detected as by `labkit.tables`.
    """
    try:
        text, _ = decode(data)
        if not any(line.strip() and not line.lstrip().startswith(COMMENT_PREFIX) for line in text.splitlines()):
            raise UsersFileError(f"{name} contains no users.")
        table = read_table(text, comment=COMMENT_PREFIX, skip_initial_space=True)
    except TableError as error:
        raise UsersFileError(f"{name} line {error.line}: {error.sentence}") from None
    rows = [table.header, *(row for row in table.rows if not row.is_blank)]
    header = [cell.strip().lower() for cell in table.header.cells]
    column = next((header.index(wanted) for wanted in NAME_COLUMNS if wanted in header), None)
    if column is None and max(len(row.cells) for row in rows) > 1:
        line = table.header.line
        raise UsersFileError(f"{name} line {line}: a table needs a header with a column 'username'.")
    found: dict[str, None] = {}
    for row in rows if column is None else rows[1:]:
        # `users --output` escapes names that a spreadsheet would evaluate.
        username = unescape_formula(row.cells[column or 0].strip()) if len(row.cells) > (column or 0) else ""
        if not username:
            raise UsersFileError(f"{name} line {row.line}: the name is missing.")
        check_username(username, f"{name} line {row.line}")
        found[username] = None
    if not found:
        raise UsersFileError(f"{name} contains no users.")
    return list(found)


def check_username(username: str, location: str) -> None:
    """Raise UsersFileError for a name that would lead out of the folder /Users."""
    if "/" in username or username in (".", "..") or not username.isprintable():
        raise UsersFileError(f"{location}: {username!r} is not a valid user name.")

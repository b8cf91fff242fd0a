"""Exports as Moodle writes them, and as a spreadsheet saves them."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ENCODINGS: Mapping[str, tuple[bytes, str]] = {
    "UTF-8": (b"", "utf-8"),
    "UTF-8 with BOM": (codecs.BOM_UTF8, "utf-8"),
    "UTF-16LE with BOM": (codecs.BOM_UTF16_LE, "utf-16-le"),
    "UTF-16BE with BOM": (codecs.BOM_UTF16_BE, "utf-16-be"),
}

OVERVIEW_HEADERS = {
    "English": ("Grouping", "Group", "First name", "Last name", "ID number", "Email address"),
    "German": ("Gruppierung", "Gruppe", "Vorname", "Nachname", "ID-Nummer", "E-Mail-Adresse"),
    "Hebrew": ("\u200fחלוקה לקבוצות", "\u200fקבוצה", "שם פרטי", "שם משפחה", "מספר זיהוי", 'כתובת דוא"ל'),
    "unknown words": ("Xaaa", "Xbbb", "Xccc", "Xddd", "Xeee", "Xfff"),
}
CHOICE_HEADERS = {
    "English": ("Last name", "First name", "ID number", "Email address", "Group", "Choice"),
    "German": ("Nachname", "Vorname", "ID-Nummer", "E-Mail-Adresse", "Gruppe", "Abstimmung"),
    "Hebrew": ("שם משפחה", "שם פרטי", "מספר זיהוי", 'כתובת דוא"ל', "קבוצה", "בחירה"),
    "unknown words": ("Xaaa", "Xbbb", "Xccc", "Xddd", "Xeee", "Xfff"),
}


@dataclass(frozen=True)
class Team:
    """A group in Moodle."""

    id: int
    name: str
    emails: tuple[str, ...] = ()
    description: str = ""


def teams(*sizes: int) -> list[Team]:
    """Return groups with these sizes and with ids from 71 upwards."""
    return [
        Team(71 + number, f"Team {number + 1}", tuple(f"s{number}.{who}@uni.example" for who in range(size)))
        for number, size in enumerate(sizes)
    ]


def quote_cells(cells: Sequence[str]) -> str:
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)


def self_selection(teams: Sequence[Team]) -> str:
    header = ["Group ID", "Group Name", "Group Size", "Group Description"]
    header += [f"Assigned teacher {field}" for field in ("Username", "Firstname", "Lastname", "Email")]
    for member in range(1, max((len(team.emails) for team in teams), default=0) + 1):
        header += [f"Member {member} {field}" for field in ("Username", "ID Number", "Firstname", "Lastname", "Email")]
    lines = ["sep=,", ",".join(header)]
    for team in teams:
        cells = [str(team.id), team.name, str(len(team.emails)), team.description, "", "", "", ""]
        for email in team.emails:
            cells += [email.partition("@")[0], "012345678", "First", "Last", email]
        lines.append(quote_cells(cells))
    return "\n".join(lines) + "\n"


def format_csv(rows: Sequence[Sequence[str]], delimiter: str = ",", ends: str = "\n") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=ends).writerows(rows)
    return text.getvalue()


def overview(
    teams: Sequence[Team],
    language: str = "English",
    ungrouped: Sequence[str] = (),
    no_group: tuple[str, str] = ("[Not in a group]", "No group"),
) -> str:
    """`ungrouped` are students without a group; `no_group` is their grouping and group."""
    rows: list[Sequence[str]] = [OVERVIEW_HEADERS[language]]
    for team in teams:
        name = team.name.replace("&", "&amp;")
        rows += [("Lab", name, "First", "Last", "012345678", email) for email in team.emails]
        if not team.emails:
            rows.append(("Lab", name, "", "", "", ""))
    rows += [(*no_group, "First", "Last", "", email) for email in ungrouped]
    return format_csv(rows)


def choice(teams: Sequence[Team], language: str = "English") -> str:
    """Cells are not quoted, and each row ends with a tab."""
    lines = ["\t".join(CHOICE_HEADERS[language])]
    lines += [f"Last\tFirst\t \t{email}\t{team.name}\t" for team in teams for email in team.emails]
    return "\n".join(lines) + "\n"


def legacy_users(teams: Sequence[Team]) -> str:
    """Return a file that contains only addresses; groups without members are omitted."""
    width = max((len(team.emails) for team in teams), default=1)
    lines = [", ".join(f"user{number}" for number in range(1, width + 1))]
    lines += [",".join([*team.emails, *[""] * (width - len(team.emails))]) for team in teams if team.emails]
    return "\n".join(lines) + "\n"


def from_spreadsheet(text: str, delimiter: str = ";") -> str:
    """Return the same table saved by Excel: no sep= line, rows of equal length, Windows line ends."""
    source = text.removeprefix("sep=,\n")
    quoting = csv.QUOTE_NONE if "\t" in source.partition("\n")[0] else csv.QUOTE_MINIMAL
    reader = csv.reader(io.StringIO(source, newline=""), delimiter="\t" if quoting == csv.QUOTE_NONE else ",")
    rows = list(reader)
    width = max(len(row) for row in rows)
    return format_csv([row + [""] * (width - len(row)) for row in rows], delimiter, "\r\n")


def encode(text: str, encoding: str = "UTF-8") -> bytes:
    mark, codec = ENCODINGS[encoding]
    return mark + text.encode(codec)

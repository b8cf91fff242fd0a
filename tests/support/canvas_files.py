"""Group sets as Canvas writes them: one row per student, sorted by name, with quotation marks only if needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from moodle_files import format_csv

HEADER = (
    "name",
    "canvas_user_id",
    "user_id",
    "login_id",
    "sections",
    "group_name",
    "canvas_group_id",
    "group_id",
)
SIS_COLUMNS = (2, 7)
"""The columns that Canvas leaves out for people without permission to see the ids of the student system."""


@dataclass(frozen=True)
class Student:
    """A student of a course in Canvas; a student in no group has an empty group name and id."""

    user: int
    login: str
    group: str = ""
    group_id: str = ""
    sis_id: str = ""
    name: str = "Cohen, Dana"
    sections: str = "Section 1"

    @property
    def row(self) -> tuple[str, ...]:
        sis_group = f"G-{self.group_id}" if self.group_id else ""
        cells = self.name, str(self.user), self.sis_id, self.login, self.sections, self.group, self.group_id, sis_group
        return cells


def group_set(students: Sequence[Student], *, header: Sequence[str] = HEADER, without: Sequence[int] = ()) -> str:
    """Return the file; `without` are the columns that it lacks."""
    rows = [header, *(student.row for student in students)]
    return format_csv([[cell for index, cell in enumerate(row) if index not in without] for row in rows])

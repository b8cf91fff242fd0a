"""A course in Moodle, and its exports in each of Moodle's languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from moodle_files import format_csv
from moodle_languages import LanguagePack


@dataclass(frozen=True)
class MoodleCourse:
    """Groups with their members' addresses, groupings with their groups' names, and students without a group."""

    groups: Mapping[str, Sequence[str]]
    groupings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ungrouped: Sequence[str] = ()

    @property
    def blocks(self) -> list[tuple[str, list[str]]]:
        """The groupings with their groups, sorted; the last one, "", has the groups without a grouping."""
        grouped = {name for names in self.groupings.values() for name in names}
        blocks = [(grouping, sorted(self.groupings[grouping])) for grouping in sorted(self.groupings)]
        return [*blocks, ("", sorted(set(self.groups) - grouped))]


def _person(email: str) -> tuple[str, str]:
    return f"First {email.partition('@')[0]}", "Last"


def overview(course: MoodleCourse, pack: LanguagePack, labels: LanguagePack | None = None) -> str:
    """Groups → Overview → export as CSV. `labels` is the language for “in no group”, if it is a different one."""
    labels = labels or pack
    rows: list[Sequence[str]] = [(pack.grouping, pack.group, pack.first_name, pack.last_name, pack.email)]
    for grouping, names in course.blocks:
        title = grouping or labels.not_in_grouping
        for name in names:
            rows += [(title, name, *_person(email), email) for email in course.groups[name]]
            rows += [] if course.groups[name] else [(title, name, "", "", "")]
        rows += [] if names else [(title, "", "", "", "")]
    rows += [(labels.not_in_group, labels.no_group, *_person(email), email) for email in course.ungrouped]
    return format_csv(rows)


def participants(course: MoodleCourse, pack: LanguagePack, empty: str = "") -> str:
    """Participants → with selected users → download as CSV. `empty` is the cell for students without a group."""
    groups_of: dict[str, list[str]] = {email: [] for email in course.ungrouped}
    for name, emails in course.groups.items():
        for email in emails:
            groups_of.setdefault(email, []).append(name)
    rows: list[Sequence[str]] = [(pack.first_name, pack.last_name, pack.email, pack.groups)]
    rows += [(*_person(email), email, ", ".join(names) or empty) for email, names in groups_of.items()]
    return format_csv(rows)


def choice(course: MoodleCourse, pack: LanguagePack) -> str:
    """The activity Group choice → download in text format."""
    header = (pack.last_name, pack.first_name, pack.id_number, pack.email, pack.choice_group, pack.choice)
    lines = ["\t".join(header)]
    members = [(name, email) for name, emails in course.groups.items() for email in emails]
    lines += [f"Last\tFirst\t \t{email}\t{name}\t" for name, email in members]
    lines += [f"Last\tFirst\t \t{email}\t\t" for email in course.ungrouped]
    return "\n".join(lines) + "\n"


def grades(people: Sequence[tuple[str, str, str]], pack: LanguagePack, delimiter: str = ",") -> str:
    """Grades → export as plain text; `people` are first name, last name and address. It has no groups."""
    header = (pack.first_name, pack.last_name, pack.id_number, "Xinstitution", "Xdepartment", pack.email, "Xsuspended")
    rows: list[Sequence[str]] = [(*header, "Exam (Xreal)", "Xtotal", "Xlast download")]
    rows += [(first, last, "", "", "", email, "", "7", "7", "1764500000") for first, last, email in people]
    return format_csv(rows, delimiter)

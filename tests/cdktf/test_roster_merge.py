"""A term with edits and downloads: groups keep their numbers, and students keep their accounts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import moodle_files
from labkit.tables import decode
from moodle_files import ENCODINGS, Team, encode, from_spreadsheet
from roster.merge import ambiguous_names, merge
from roster.model import Roster, format_roster, parse_roster, with_existing_accounts
from sources.detection import read_export

Format = Callable[[Sequence[Team]], str]

NAMES = ("קבוצה {}", "R&D {}", 'The "{}"', "=Formula {}", "Süd, Ost {}", "-{}-")


@dataclass
class Moodle:
    """The course in Moodle: ordered groups with their students."""

    order: list[int] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    students: dict[int, list[str]] = field(default_factory=dict)
    dropped: dict[int, list[str]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    ever: int = 0

    def teams(self) -> list[Team]:
        return [Team(group, self.names[group], tuple(self.students[group])) for group in self.order]

    def new_student(self) -> str:
        self.ever += 1
        return f"s{self.ever}@uni.example"

    def new_group(self, name: str, size: int) -> None:
        self.ever += 1
        group = 1000 + self.ever
        self.order.append(group)
        self.names[group] = f"{name.format(self.ever)}"
        self.students[group] = [self.new_student() for _ in range(size)]


# What can be recognised depends on the format: everything with ids, all but a renamed empty group with names, and only
# groups that keep half of their students with users.csv.
WITH_IDS: st.SearchStrategy[Format] = st.just(moodle_files.self_selection)
LANGUAGES = st.sampled_from(["English", "German", "Hebrew"])
OVERVIEW = LANGUAGES.map(
    lambda language: lambda teams: moodle_files.overview(teams, language, ungrouped=["nobody@uni.example"])
)
CHOICE = LANGUAGES.map(lambda language: lambda teams: moodle_files.choice(teams, language))
WITH_NAMES = WITH_IDS | OVERVIEW | CHOICE
ANY = WITH_NAMES | st.just(moodle_files.legacy_users)
DISGUISE = st.sampled_from([None, ",", ";", "\t"])
ENCODING = st.sampled_from(sorted(ENCODINGS))
PICK = st.integers(0, 10**6)


class Term(RuleBasedStateMachine):
    """Each step is one change in Moodle, a download in some format and encoding, and an import."""

    def __init__(self) -> None:
        super().__init__()
        self.moodle = Moodle()
        self.roster = Roster()
        self.number_of: dict[int, int] = {}
        self.accounts: dict[str, str] = {}
        self.listed: list[Team] = []

    def download(self, form: Format, disguise: str | None, encoding: str) -> None:
        teams = self.moodle.teams()
        text = form(teams)
        data = encode(from_spreadsheet(text, disguise) if disguise else text, encoding)
        export = read_export(decode(data)[0])
        if not any(team.emails for team in teams) and export.problems:
            self.listed = []
            return
        assert export.problems == ()
        assert ambiguous_names(self.roster, export.groups) == ()
        before = {member.email for group in self.roster.groups for member in group.members}
        merged = merge(self.roster, export).roster
        new = {member.email for group in merged.groups for member in group.members} - before
        # As with --check-accounts: about a third of the students already had an account.
        self.roster = with_existing_accounts(
            merged, {email for email in new if email.startswith(("s1", "s2", "s3"))}, "lab"
        )
        self.listed = [
            team for team in teams if team.emails or export.format in ("Group self-selection", "Groups overview")
        ]

    @initialize(form=WITH_NAMES, sizes=st.lists(st.integers(1, 4), min_size=1, max_size=5), d=DISGUISE, e=ENCODING)
    def first_download(self, form, sizes, d, e):
        for size in sizes:
            self.moodle.new_group(NAMES[size % len(NAMES)], size)
        self.download(form, d, e)

    @rule(form=WITH_NAMES, name=st.sampled_from(NAMES), size=st.integers(1, 4), d=DISGUISE, e=ENCODING)
    def a_group_is_made(self, form, name, size, d, e):
        self.moodle.new_group(name, size)
        self.download(form, d, e)

    @precondition(lambda self: len(self.moodle.order) > 1)
    @rule(form=ANY, which=PICK, d=DISGUISE, e=ENCODING)
    def a_group_is_dropped(self, form, which, d, e):
        group = self.moodle.order.pop(which % len(self.moodle.order))
        self.moodle.dropped[group] = self.moodle.students.pop(group)
        self.moodle.gone += self.moodle.dropped[group]
        self.download(form, d, e)

    @precondition(lambda self: self.moodle.dropped)
    @rule(form=WITH_NAMES, which=PICK, place=PICK, d=DISGUISE, e=ENCODING)
    def a_group_comes_back(self, form, which, place, d, e):
        group = sorted(self.moodle.dropped)[which % len(self.moodle.dropped)]
        students = [email for email in self.moodle.dropped.pop(group) if email in self.moodle.gone]
        self.moodle.gone = [email for email in self.moodle.gone if email not in students]
        self.moodle.students[group] = students
        self.moodle.order.insert(place % (len(self.moodle.order) + 1), group)
        self.download(form, d, e)

    @precondition(lambda self: any(self.moodle.students.values()))
    @rule(form=WITH_NAMES, which=PICK, name=st.sampled_from(NAMES), d=DISGUISE, e=ENCODING)
    def a_group_is_renamed(self, form, which, name, d, e):
        with_students = [group for group in self.moodle.order if self.moodle.students[group]]
        self.moodle.ever += 1
        self.moodle.names[with_students[which % len(with_students)]] = name.format(self.moodle.ever)
        self.download(form, d, e)

    @rule(data=st.data(), which=PICK, d=DISGUISE, e=ENCODING)
    def a_student_joins(self, data, which, d, e):
        group = self.moodle.order[which % len(self.moodle.order)]
        form = data.draw(ANY if self.moodle.students[group] else WITH_NAMES)
        self.moodle.students[group].append(self.moodle.new_student())
        self.download(form, d, e)

    @precondition(lambda self: any(self.moodle.students.values()))
    @rule(form=ANY, which=PICK, d=DISGUISE, e=ENCODING)
    def a_student_leaves(self, form, which, d, e):
        with_students = [group for group in self.moodle.order if self.moodle.students[group]]
        group = with_students[which % len(with_students)]
        self.moodle.gone.append(self.moodle.students[group].pop(which % len(self.moodle.students[group])))
        self.download(form, d, e)

    @precondition(lambda self: self.moodle.gone)
    @rule(data=st.data(), which=PICK, where=PICK, d=DISGUISE, e=ENCODING)
    def a_student_comes_back(self, data, which, where, d, e):
        group = self.moodle.order[where % len(self.moodle.order)]
        form = data.draw(ANY if self.moodle.students[group] else WITH_NAMES)
        self.moodle.students[group].append(self.moodle.gone.pop(which % len(self.moodle.gone)))
        self.download(form, d, e)

    @precondition(lambda self: any(self.moodle.students.values()) and len(self.moodle.order) > 1)
    @rule(data=st.data(), which=PICK, where=PICK, d=DISGUISE, e=ENCODING)
    def a_student_moves(self, data, which, where, d, e):
        with_students = [group for group in self.moodle.order if self.moodle.students[group]]
        source = with_students[which % len(with_students)]
        others = [group for group in self.moodle.order if group != source]
        target = others[where % len(others)]
        stays, joins = len(self.moodle.students[source]) > 1, bool(self.moodle.students[target])
        # Without ids and empty groups, moving all students of a group gives the same file as renaming the group.
        form = data.draw(ANY if stays and joins else WITH_NAMES if stays or joins else WITH_IDS | OVERVIEW)
        self.moodle.students[target].append(self.moodle.students[source].pop(which % len(self.moodle.students[source])))
        self.download(form, d, e)

    @rule(d=DISGUISE, e=ENCODING)
    def the_roster_itself_is_imported(self, d, e):
        text = format_roster(self.roster)
        data = encode(from_spreadsheet(text, d) if d else text, e)
        assert merge(self.roster, read_export(decode(data)[0])).roster == self.roster

    @invariant()
    def no_group_moves_to_another_number(self):
        now = {email: group.number for group in self.roster.groups for email in (m.email for m in group.active_members)}
        by_id = {int(group.moodle_id): group.number for group in self.roster.groups if group.moodle_id}
        for team in self.listed:
            found = {now[email] for email in team.emails} | ({by_id[team.id]} if team.id in by_id else set())
            assert len(found) <= 1
            for number in found:
                assert self.number_of.setdefault(team.id, number) == number
        assert len(set(self.number_of.values())) == len(self.number_of)

    @invariant()
    def everybody_is_where_moodle_says(self):
        if not self.listed:
            return
        active = {
            frozenset(member.email for member in group.active_members)
            for group in self.roster.active_groups
            if group.active_members
        }
        assert active == {frozenset(team.emails) for team in self.listed if team.emails}

    @invariant()
    def nothing_is_forgotten_and_no_account_changes_hands(self):
        accounts = {member.email: member.account for group in self.roster.groups for member in group.members}
        assert self.accounts.items() <= accounts.items()
        self.accounts = accounts
        numbers = [group.number for group in self.roster.groups]
        assert numbers == list(range(1, len(numbers) + 1))

    @invariant()
    def the_file_holds_all_of_it(self):
        assert parse_roster(format_roster(self.roster), "r.csv") == self.roster


TestTerm = Term.TestCase
TestTerm.settings = settings(stateful_step_count=25)

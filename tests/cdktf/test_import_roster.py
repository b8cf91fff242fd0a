"""The import command: the file it writes, its output, and its errors."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import moodle_course
import moodle_files
from canvas_files import Student, group_set
from import_roster import main
from json_documents import mismatches
from malformed_exports import MALFORMED
from minimal_lab import minimal_lab
from moodle_course import MoodleCourse
from moodle_files import Team, encode, teams
from moodle_languages import LANGUAGE_PACKS
from roster.model import parse_roster
from workbook_files import WRITERS, workbook

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
OCTOBER = EXAMPLES / "Groupself-selection_94290_2026-10-18.csv"
NOVEMBER = EXAMPLES / "Groupself-selection_94290_2026-11-08.csv"
HEADER = "number,moodle_group_id,moodle_group_name,email,status,account"


def settings(*, strict: bool = False, pin: bool = True) -> str:
    """Return a `lab.toml` with an email domain and a maximum group size."""
    course = f'email_domains = ["uni.example"]\nstrict_domains = {str(strict).lower()}\nmax_group_size = 6'
    return minimal_lab("[targets.lab]\n[targets.spare]", course=course, cluster=f"pin = {str(pin).lower()}")


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    """Run the command on these bytes or this file; the roster is `r.csv` in the same folder."""

    def run(export: bytes | str | Path, *options: str, lab: str | None = None, **environment: str) -> Result:
        path = export if isinstance(export, Path) else tmp_path / "export.csv"
        if not isinstance(export, Path):
            path.write_bytes(export if isinstance(export, bytes) else encode(export))
        path_of_lab = tmp_path / "lab.toml"
        path_of_lab.write_text(lab or settings(), encoding="utf-8")
        arguments = [str(path), "--out", str(tmp_path / "r.csv"), *options]
        return CliRunner().invoke(main, arguments, env={"LAB_CONFIG": str(path_of_lab), **environment})

    return run


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_the_first_import_writes_a_private_roster(run, tmp_path):
    result = run(moodle_files.self_selection(teams(2, 1)))
    assert (result.exit_code, result.stderr) == (0, "")
    assert (tmp_path / "r.csv").read_text() == "\n".join(
        [
            HEADER,
            "1,71,Team 1,s0.0@uni.example,active,managed",
            "1,71,Team 1,s0.1@uni.example,active,managed",
            "2,72,Team 2,s1.0@uni.example,active,managed",
            "",
        ]
    )
    assert (tmp_path / "r.csv").stat().st_mode & 0o777 == 0o600
    assert result.stdout == "\n".join(
        [
            "export.csv: Group self-selection, UTF-8",
            "",
            "First import: 2 groups, 3 students.",
            "",
            "Group numbers, which stay the same for the whole term",
            '  group_01 "Team 1", 2 students',
            '  group_02 "Team 2", 1 student',
            "",
            "Now: 2 groups with 3 students.",
            f"Written to {tmp_path / 'r.csv'}.",
            "",
        ]
    )


def test_the_second_import_reports_who_joined_moved_and_left(run, tmp_path):
    run(OCTOBER)
    result = run(NOVEMBER)
    assert result.exit_code == 0
    assert result.stdout == "\n".join(
        [
            "Groupself-selection_94290_2026-11-08.csv: Group self-selection, UTF-8",
            "",
            "Students",
            "  joined     adam.dekel@campus.example.ac.il → group_16",
            "  joined     yael.marigold@campus.example.ac.il → group_30",
            "  moved      daniel.cedarson@campus.example.ac.il: group_09 → group_14",
            "  left       michal.cedarson@campus.example.ac.il (was in group_05)",
            "  left       shira.dekel@campus.example.ac.il (was in group_05)",
            "  left       tamar.fernley@campus.example.ac.il (was in group_05)",
            "Groups",
            '  retired    group_05 "Lake House Five": no longer listed; its cluster will be removed',
            "",
            "Now: 29 groups with 96 students (also in the roster: 1 retired group, 3 students who left).",
            f"Written to {tmp_path / 'r.csv'}.",
            "",
        ]
    )


def test_the_json_output_has_the_whole_report(run, tmp_path):
    run(moodle_files.self_selection(teams(2, 1, 1)))
    renamed = [Team(71, "Best", ("s0.0@uni.example",)), Team(72, "Team 2", ("s1.0@uni.example", "s0.1@uni.example"))]
    result = run(
        moodle_files.self_selection([*renamed, Team(80, "Late", ("n@other.example",))]), "--json", "--allow-drops"
    )
    place = f"{tmp_path / 'export.csv'}"
    assert mismatches(json.loads(result.stdout), "import_roster") == []
    assert json.loads(result.stdout) == {
        "export": place,
        "out": str(tmp_path / "r.csv"),
        "written": True,
        "format": "Group self-selection",
        "encoding": "UTF-8",
        "counts": {"groups": 3, "students": 4, "empty_groups": 0, "retired_groups": 1, "retired_students": 1},
        "joined": [{"email": "n@other.example", "to": "group_04"}],
        "came_back": [],
        "moved": [{"email": "s0.1@uni.example", "from": "group_01", "to": "group_02"}],
        "left": [{"email": "s2.0@uni.example", "from": "group_03"}],
        "new_groups": [{"group": "group_04", "moodle_group_id": "80", "moodle_group_name": "Late", "students": 1}],
        "returned_groups": [],
        "retired_groups": [
            {"group": "group_03", "moodle_group_id": "73", "moodle_group_name": "Team 3", "students": 0}
        ],
        "renamed_groups": [{"group": "group_01", "from": "Team 1", "to": "Best"}],
        "new_moodle_ids": [],
        "recognised": [],
        "ignored": [],
        "suspended": [],
        "notes": [],
        "warnings": [
            "export.csv line 5: 1 of the roster's 4 students are not in this export, more than 20 percent. Check that "
            "it is the whole course and today's download. If the students really left, add --allow-drops.",
            'export.csv line 5: n@other.example is outside email_domains (uni.example), in "Late".',
        ],
        "existing_accounts": None,
        "problems": [],
    }


def test_a_dry_run_writes_nothing(run, tmp_path):
    run(OCTOBER)
    before = files(tmp_path)
    result = run(NOVEMBER, "--dry-run")
    assert "moved      daniel.cedarson@campus.example.ac.il: group_09 → group_14" in result.stdout
    assert result.stdout.endswith("Dry run: nothing was written.\n")
    assert files(tmp_path) == before


def test_the_same_export_again_changes_nothing(run, tmp_path):
    run(OCTOBER)
    before = (tmp_path / "r.csv").stat()
    result = run(OCTOBER)
    assert "Nothing changed since the last import." in result.stdout
    assert (tmp_path / "r.csv").stat().st_mtime_ns == before.st_mtime_ns


def test_matches_without_an_id_are_reported(run):
    run(moodle_files.self_selection(teams(2, 2, 3)))
    other = [Team(0, "Team 1", teams(2)[0].emails), Team(0, "Renamed", teams(0, 0, 3)[2].emails), Team(0, "Team 2", ())]
    result = run(moodle_files.overview(other), "--allow-drops")
    assert "  by their names: group_01, group_02\n" in result.stdout
    assert '  group_03 is "Renamed" on line 4, by 3 of its 3 students\n' in result.stdout


def test_groups_recognised_by_their_students_are_listed_on_one_line(run):
    run(moodle_files.self_selection(teams(2, 2, 3)))
    result = run(moodle_files.legacy_users([*teams(2, 2), Team(0, "", teams(0, 0, 3)[2].emails[1:])]), "--allow-drops")
    assert (
        "  by all of their students: group_01, group_02\n  group_03 is line 4, by 2 of its 3 students\n"
        in result.stdout
    )


def test_skipped_rows_are_reported_by_line(run):
    nobody = [f"n{number}@uni.example" for number in range(20)]
    result = run(moodle_files.overview(teams(2), ungrouped=nobody))
    assert "Skipped: 20 rows of the export\n  line 4: " in result.stdout
    assert result.stdout.count("is in no group") == 12
    assert "… and 8 more, up to line 23" in result.stdout


@pytest.mark.process
def test_without_settings_any_domain_and_size_is_allowed(tmp_path):
    project = tmp_path / "project"
    for folder in ("cdktf", "labkit"):
        shutil.copytree(ROOT / folder, project / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "e.csv").write_bytes(encode(moodle_files.self_selection(teams(9))))
    command = [sys.executable, str(project / "cdktf/import_roster.py"), "e.csv", "--out", "new/folder/r.csv"]
    environment = {key: value for key, value in os.environ.items() if key != "LAB_CONFIG"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "new/folder").stat().st_mode & 0o777 == 0o700
    assert len(parse_roster((tmp_path / "new/folder/r.csv").read_text(), "r").groups[0].members) == 9


def test_the_encoding_option_is_applied(run, tmp_path):
    text = moodle_files.overview([Team(1, "קבוצה 1", ("a@uni.example",))], "Hebrew").replace("\u200f", "")
    assert run(text.encode("cp1255")).exit_code == 2
    assert run(text.encode("cp1255"), "--encoding", "cp1255").exit_code == 0
    assert parse_roster((tmp_path / "r.csv").read_text(), "r").groups[0].moodle_name == "קבוצה 1"


SELF = moodle_files.self_selection(teams(2, 1))


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_roster_is_refused_with_its_line(run, tmp_path, case):
    content, options, expected = MALFORMED[case]
    result = run(content, *options)
    assert expected in result.stderr
    assert re.search(r"^export\.csv line \d+: .+\.$", result.stderr, re.MULTILINE)
    assert result.stderr.endswith("\nNothing was written.\n")
    assert "\x1b" not in result.stderr and "Traceback" not in result.stderr
    assert (result.exit_code, result.stdout, type(result.exception)) == (2, "", SystemExit)
    assert set(files(tmp_path)) == {"export.csv", "lab.toml"}


def test_there_are_enough_malformed_rosters():
    assert len(MALFORMED) >= 40


def test_all_problems_are_reported_in_the_order_of_the_lines(run):
    broken = SELF.replace('"72"', '"71"').replace("s0.1@uni.example", "nobody").replace("s1.0@", "s0.0@")
    result = run(broken, "--json")
    problems = [
        'export.csv line 3: "Member 2 Email" is not an e-mail address: "nobody".',
        "export.csv line 4: Group ID 71 is already on line 3; each group has one row.",
        'export.csv line 4: s0.0@uni.example is in "Team 2" and, on line 3, in "Team 1"; a student can be in only '
        "one group: remove one in Moodle and download again.",
    ]
    assert result.stderr.splitlines() == [*problems, "Nothing was written."]
    assert json.loads(result.stdout) == {"written": False, "problems": problems}


@pytest.mark.parametrize("strict", [True, False])
def test_a_different_domain_causes_a_warning_unless_domains_are_strict(run, tmp_path, strict):
    text = SELF.replace("s1.0@uni.example", "s1.0@sub.uni.example")
    result = run(text, lab=settings(strict=strict))
    sentence = 'export.csv line 4: s1.0@sub.uni.example is outside email_domains (uni.example), in "Team 2".\n'
    assert result.stderr == (f"{sentence}Nothing was written.\n" if strict else f"Warning: {sentence}")
    assert (tmp_path / "r.csv").exists() != strict


def test_more_than_a_hundred_groups_are_allowed_without_pinning(run):
    many = moodle_files.self_selection(teams(*[1] * 101))
    assert run(many, lab=settings(pin=False)).exit_code == 0


def test_an_export_with_many_missing_students_needs_allow_drops(run, tmp_path):
    run(moodle_files.self_selection(teams(5, 5)))
    before = files(tmp_path)["r.csv"]
    fewer = moodle_files.self_selection(teams(5, 2))
    result = run(fewer)
    assert (
        "export.csv line 4: 3 of the roster's 10 students are not in this export, more than 20 percent."
        in result.stderr
    )
    assert (result.exit_code, files(tmp_path)["r.csv"]) == (2, before)
    assert run(fewer, "--max-drop-percent", "30", "--dry-run").exit_code == 0
    allowed = run(fewer, "--allow-drops")
    assert allowed.exit_code == 0 and "Warning: export.csv line 4: 3 of the roster's 10 students" in allowed.stderr


@pytest.mark.parametrize("form", WRITERS)
def test_a_workbook_is_imported_whatever_its_name_is(run, tmp_path, form):
    rows = [row.split(",") for row in moodle_files.overview(teams(2, 1)).splitlines()]
    result = run(workbook(rows, form))
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, f"export.csv: Groups overview, {form.upper()}")
    assert files(tmp_path)["r.csv"].decode().splitlines()[1:] == [
        "1,,Team 1,s0.0@uni.example,active,managed",
        "1,,Team 1,s0.1@uni.example,active,managed",
        "2,,Team 2,s1.0@uni.example,active,managed",
    ]


def test_logins_from_canvas_are_completed_by_their_domain(run, tmp_path):
    text = group_set([Student(17, "Dana", "Team 1", "5001"), Student(18, "noa", "Team 1", "5001"), Student(19, "omer")])
    assert "--login-domain DOMAIN" in run(text).stderr
    result = run(text, "--login-domain", "@Uni.example")
    assert (result.exit_code, files(tmp_path)["r.csv"].decode().splitlines()[1:]) == (
        0,
        [f"1,5001,Team 1,{name}@uni.example,active,managed" for name in ("dana", "noa")],
    )
    assert run(text, "--login-domain", "uni example").exit_code == 2


def test_a_damaged_roster_stops_the_import(run, tmp_path):
    (tmp_path / "r.csv").write_text(HEADER + "\nx,71,A,a@uni.example,active,managed\n")
    before = files(tmp_path)["r.csv"]
    result = run(SELF)
    assert f'{tmp_path / "r.csv"} line 2: number must be a whole number, 1 or greater, not "x".' in result.stderr
    assert "stores the numbers of the groups: correct it or restore a copy" in result.stderr
    assert (result.exit_code, files(tmp_path)["r.csv"]) == (2, before)


def test_two_active_groups_with_one_name_need_an_export_with_ids(run):
    same = [Team(71, "Twins", ("a@uni.example",)), Team(72, "Twins", ("b@uni.example",))]
    first = run(moodle_files.self_selection(same))
    assert 'Warning: export.csv line 4: "Twins" is also the name of the group on line 3.' in first.stderr
    result = run(moodle_files.overview(same))
    assert (
        'export.csv line 2: "Twins" matches group_01 and group_02, which have the same name in Moodle' in result.stderr
    )
    assert result.exit_code == 2


def test_an_unwritable_roster_causes_one_message(run, tmp_path):
    (tmp_path / "file").write_text("")
    result = run(SELF, "--out", str(tmp_path / "file/r.csv"))
    assert result.exit_code == 2 and "cannot be" in result.stderr and "Traceback" not in result.stderr


def test_an_error_in_the_settings_causes_one_message(run):
    result = run(SELF, lab="[course")
    assert result.exit_code == 2 and "lab.toml: invalid TOML" in result.stderr


def test_only_the_columns_email_and_group_can_be_specified(run):
    result = run(SELF, "--column", "name=X")
    assert result.exit_code == 2 and 'must be email="HEADER" or group="HEADER"' in result.stderr


def test_a_roster_is_replaced_atomically(run, tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "r.csv").symlink_to(tmp_path / "kept/real.csv")
    assert run(SELF).exit_code == 0
    assert (tmp_path / "r.csv").is_symlink()
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["real.csv"]


def test_an_export_with_many_moved_students_needs_allow_moves(run, tmp_path):
    run(moodle_files.self_selection(teams(5, 5)))
    before = files(tmp_path)["r.csv"]
    one, two = teams(5, 5)
    swapped = [Team(one.id, one.name, two.emails[:2] + one.emails[2:])]
    swapped += [Team(two.id, two.name, one.emails[:2] + two.emails[2:])]
    result = run(moodle_files.self_selection(swapped))
    assert (
        "export.csv line 4: 4 of the roster's 10 students would move to a different group and its cluster, more than "
        "20 percent. Check that these are the course's groups. If the students really moved, add --allow-moves."
    ) in result.stderr
    assert (result.exit_code, files(tmp_path)["r.csv"]) == (2, before)
    assert run(moodle_files.self_selection(swapped), "--allow-drops").exit_code == 2
    assert run(moodle_files.self_selection(swapped), "--max-move-percent", "40", "--dry-run").exit_code == 0
    allowed = run(moodle_files.self_selection(swapped), "--allow-moves")
    assert allowed.exit_code == 0 and "Warning: export.csv line 4: 4 of the roster's 10 students" in allowed.stderr


def test_a_grades_export_does_not_change_a_roster(run, tmp_path):
    run(moodle_files.self_selection(teams(5, 5, 5)))
    before = files(tmp_path)["r.csv"]
    emails = [email for team in teams(5, 5, 5) for email in team.emails]
    people = [(f"First {at}", f"Last {at % 4}", email) for at, email in enumerate(emails)]
    grades = moodle_course.grades(people, LANGUAGE_PACKS["de"])
    assert "no group column was found" in run(grades).stderr
    named = run(grades, "--column", "group=Nachname")
    assert "students would move to a different group" in named.stderr
    assert (named.exit_code, files(tmp_path)["r.csv"]) == (2, before)


STAFF = settings() + '[staff]\naddresses = ["S0.1@uni.example"]\n'


@pytest.mark.parametrize("form", ["self-selection", "overview", "participants", "choice", "users.csv", "roster"])
def test_staff_in_a_group_are_not_students(run, tmp_path, form):
    groups = teams(2, 2)
    course = MoodleCourse({team.name: team.emails for team in groups})
    exports = {
        "self-selection": moodle_files.self_selection(groups),
        "overview": moodle_course.overview(course, LANGUAGE_PACKS["en"]),
        "participants": moodle_course.participants(course, LANGUAGE_PACKS["en"]),
        "choice": moodle_course.choice(course, LANGUAGE_PACKS["en"]),
        "users.csv": moodle_files.legacy_users(groups),
        "roster": HEADER + "".join(
            f"\n{number},,{team.name},{email},active,managed"
            for number, team in enumerate(groups, start=1)
            for email in team.emails
        ),
    }  # fmt: skip
    result = run(exports[form], "--staff", "s1.0@uni.example", lab=STAFF)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "s0.1@uni.example is staff and therefore not a student." in result.stdout
    roster = parse_roster((tmp_path / "r.csv").read_text(), "r.csv")
    active = [[member.email for member in group.members] for group in roster.active_groups]
    assert active == [["s0.0@uni.example"], ["s1.1@uni.example"]]


def test_staff_may_be_in_several_groups(run, tmp_path):
    course = MoodleCourse({"A": ("a@uni.example", "tutor@uni.example"), "B": ("b@uni.example", "tutor@uni.example")})
    for text in (
        moodle_course.participants(course, LANGUAGE_PACKS["en"]),
        moodle_course.overview(course, LANGUAGE_PACKS["en"]),
    ):
        assert run(text, "--staff", "Tutor@uni.example", "--out", str(tmp_path / "new.csv")).exit_code == 0
        refused = run(text)
        assert refused.exit_code == 2 and "tutor@uni.example" in refused.stderr


def test_staff_once_imported_as_students_are_not_missing_students(run):
    run(moodle_files.self_selection(teams(2, 2)))
    without = [Team(team.id, team.name, team.emails[:1]) for team in teams(2, 2)]
    staff = ("--staff", "s0.1@uni.example", "--staff", "s1.1@uni.example")
    assert run(moodle_files.self_selection(without)).exit_code == 2
    assert run(moodle_files.self_selection(without), *staff).exit_code == 0


def test_staff_options_must_be_email_addresses(run):
    result = run(SELF, "--staff", "tutor")
    assert (result.exit_code, result.stderr) == (
        2,
        '--staff must be an e-mail address, not "tutor".\nNothing was written.\n',
    )


def test_a_cell_of_participants_may_list_several_groups(run):
    course = MoodleCourse({"Lab A": ("a@uni.example", "b@uni.example"), "Team 1": ("a@uni.example",)})
    result = run(moodle_course.participants(course, LANGUAGE_PACKS["en"]))
    assert result.stderr == (
        'export.csv line 2: "a@uni.example" is in 2 groups, "Lab A" and "Team 1"; a student can be in only one: remove '
        'one in Moodle, or, if it is one name, add --group "Lab A, Team 1".\nNothing was written.\n'
    )


def test_a_name_with_a_comma_is_one_group_if_specified_or_known(run, tmp_path):
    course = MoodleCourse({"Süd, Ost": ("a@uni.example", "b@uni.example"), "West": ("c@uni.example",)})
    participants = moodle_course.participants(course, LANGUAGE_PACKS["en"])
    assert run(participants).exit_code == 2
    assert run(participants, "--group", "Süd, Ost").exit_code == 0
    assert run(participants).exit_code == 0
    names = [group.moodle_name for group in parse_roster((tmp_path / "r.csv").read_text(), "r").active_groups]
    assert names == ["Süd, Ost", "West"]


def test_parts_of_a_choice_are_groups_if_they_also_occur_in_other_cells(run):
    lines = moodle_course.choice(MoodleCourse({"Lab A, Team 1": ("a@uni.example",)}), LANGUAGE_PACKS["en"])
    for at, cell in enumerate(["Lab A, Team 2", "Lab B, Team 1", "Lab B, Team 2"]):
        lines += f"L\tF\t \ts{at}@uni.example\t{cell}\t\n"
    assert run(lines).stderr.count("is in 2 groups") == 4
    streets = moodle_course.choice(
        MoodleCourse({"Süd, Ost": ("a@uni.example",), "Süd, West": ("b@uni.example",)}), LANGUAGE_PACKS["en"]
    )
    assert run(streets).exit_code == 0


def test_a_label_that_was_imported_as_a_group_is_retired(run, tmp_path):
    (tmp_path / "r.csv").write_text(
        f"{HEADER}\n1,,T1,a@uni.example,active,managed\n2,,Нет групп,n@uni.example,active,managed\n"
    )
    course = MoodleCourse({"T1": ("a@uni.example",)}, {}, ("n@uni.example",))
    assert run(moodle_course.overview(course, LANGUAGE_PACKS["ru"]), "--allow-drops").exit_code == 0
    assert [group.moodle_name for group in parse_roster((tmp_path / "r.csv").read_text(), "r").active_groups] == ["T1"]

"""The mail about a night, and the settings of the nightly update."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from lab_settings import LabSettingsError, parse_settings
from minimal_lab import minimal_lab
from nightly.mail_text import Night, Outcome, subject_of, text_of
from nightly.plan_policy import Decision, PlannedChange
from update_roster import main

REPORT = (
    "moodle.example.ac.il course 94290: Moodle's web service, 4.1.6",
    "Students",
    "  joined  a@x.example → group_01",
)
JOIN = PlannedChange("databricks_group_member.group_01_a", "databricks_group_member", ("create",))
ADVICE = "Review and apply it: pipenv run cdktf diff, then pipenv run cdktf deploy."


@pytest.mark.parametrize(
    ("night", "lines"),
    [
        (
            Night(Outcome.APPLIED, REPORT, Decision((JOIN,), ())),
            ["Applied to the workspace (1):", f"  {JOIN}", "", "The import:", "", *REPORT],
        ),
        (
            Night(Outcome.WAITING, REPORT, Decision((JOIN,), ("a reason",))),
            [
                "The workspace was not changed: a reason.",
                ADVICE,
                "",
                "The plan (1):",
                f"  {JOIN}",
                "",
                "The import:",
                "",
                *REPORT,
            ],
        ),
        (
            Night(Outcome.WAITING, REPORT),
            ["The roster changed; the workspace was not changed.", ADVICE, "", "The import:", "", *REPORT],
        ),
        (
            Night(Outcome.REFUSED, ("r.csv: 5 of the roster's students are not in this export.",)),
            [
                "rosters/r.csv and the workspace were not changed. The import was refused:",
                "",
                "r.csv: 5 of the roster's students are not in this export.",
                "",
                "If the change is right, import it with the option in the message, and deploy.",
            ],
        ),
        (
            Night(
                Outcome.FAILED, (), Decision((JOIN,), ()), ("terraform apply failed; nothing more was done.", "reason")
            ),
            [
                "terraform apply failed; nothing more was done.",
                "reason",
                "",
                "The plan, which may be applied in part (1):",
                f"  {JOIN}",
                "",
            ],
        ),
    ],
)
def test_the_mail_says_what_happened_and_what_to_do(night, lines):
    assert text_of(night, roster="rosters/r.csv") == "\n".join(lines) + "\n"


def test_the_subject_has_course_and_outcome():
    assert subject_of(Night(Outcome.APPLIED), course="94290", term="2026w") == (
        "Roster of 94290 2026w: changes were applied"
    )


def test_nothing_is_applied_by_default():
    roster = parse_settings(minimal_lab("[targets.lab]"), "lab.toml").roster
    assert (roster.moodle, roster.moodle_course, roster.grouping, roster.apply) == ("", "", "", "nothing")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('apply = "everything"', 'roster.apply must be "nothing", "joins" or "all", not \'everything\'.'),
        ('moodle = "moodle.example"', "roster.moodle must be a URL such as"),
        ('token = "x"', "roster.token is not a known key; allowed here: moodle, moodle_course, grouping, apply."),
    ],
)
def test_invalid_settings_of_the_roster_are_refused(line, sentence):
    with pytest.raises(LabSettingsError) as refused:
        parse_settings(minimal_lab(f"[roster]\n{line}\n[targets.lab]"), "lab.toml")
    assert sentence in str(refused.value)


def test_an_update_needs_the_address_of_moodle(tmp_path: Path):
    lab = tmp_path / "lab.toml"
    lab.write_text(minimal_lab("[targets.lab]"), encoding="utf-8")
    variables = {"DATABRICKS_HOST": "https://w.example", "DATABRICKS_TOKEN": "t"}
    result = CliRunner().invoke(main, ["--no-mail"], env={"LAB_CONFIG": str(lab), **variables})
    sentence = 'lab.toml: set moodle under [roster], such as moodle = "https://moodle.example.ac.il".\n'
    assert (result.exit_code, result.output) == (2, sentence)

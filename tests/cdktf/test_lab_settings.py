"""lab.toml: its values and its error messages."""

import re
from datetime import date
from pathlib import Path

import pytest

from lab_settings import BackendSettings, LabSettingsError, LibrarySettings, load_settings, parse_settings
from labkit.course_file import GroupLimits

EXAMPLE = (Path(__file__).resolve().parents[2] / "lab.toml").read_text(encoding="utf-8")


def problems(text: str) -> list[str]:
    with pytest.raises(LabSettingsError) as caught:
        parse_settings(text, "lab.toml")
    return caught.value.problems


def changed(old: str, new: str) -> str:
    assert old in EXAMPLE
    return EXAMPLE.replace(old, new)


def test_the_example_is_valid():
    lab = parse_settings(EXAMPLE, "lab.toml")
    assert (lab.course.id, lab.course.term, lab.course.first_day) == ("94290", "2026w", date(2026, 10, 18))
    assert lab.libraries == [
        LibrarySettings(pypi="nltk==3.9.1"),
        LibrarySettings(maven="io.graphframes:graphframes-spark4_2.13:0.10.1", repo="", exclusions=[]),
    ]
    assert lab.targets["production"].backend == BackendSettings(
        type="azurerm",
        resource_group_name="lab-state",
        storage_account_name="labstate",
        container_name="tfstate",
        key="94290-2026w.tfstate",
    )
    assert lab.cluster.driver == "Standard_DS3_v2"


def test_a_stacks_name_contains_course_term_and_target():
    assert parse_settings(EXAMPLE, "lab.toml").stack_id("rehearsal") == "94290-2026w-rehearsal"


def test_the_default_target_is_used_unless_one_is_specified():
    lab = parse_settings(EXAMPLE, "lab.toml")
    assert lab.target(None)[0] == "rehearsal"
    assert lab.target("production")[1].profile == "LAB"
    with pytest.raises(LabSettingsError, match=r"LAB_TARGET is 'moon'; it must be one of rehearsal, production\."):
        lab.target("moon")


def test_a_groups_own_limits_override_the_courses():
    quota = parse_settings(changed("# week_minutes = 600", "week_minutes = 600"), "lab.toml").quota
    assert quota.limits_of("group_01") == GroupLimits(
        soft_minutes=150, hard_minutes=180, week_minutes=600, term_minutes=None
    )
    assert quota.limits_of("group_07") == GroupLimits(
        soft_minutes=150, hard_minutes=240, week_minutes=600, term_minutes=None
    )


def test_a_hard_limit_of_zero_is_a_limit():
    """A group with a hard limit of zero is restricted at once."""
    one = parse_settings(changed("hard_minutes = 240", "hard_minutes = 0"), "lab.toml").quota
    nobody = changed("soft_minutes = 150", "soft_minutes = 0").replace("hard_minutes = 180", "hard_minutes = 0")
    all_but_one = parse_settings(
        nobody.replace("hard_minutes = 240", "hard_minutes = 240\nsoft_minutes = 200"), "lab.toml"
    ).quota

    assert [one.limits_of(group) for group in ("group_01", "group_07")] == [
        GroupLimits(soft_minutes=150, hard_minutes=180),
        GroupLimits(soft_minutes=0, hard_minutes=0),
    ]
    assert [all_but_one.limits_of(group) for group in ("group_01", "group_07")] == [
        GroupLimits(soft_minutes=0, hard_minutes=0),
        GroupLimits(soft_minutes=200, hard_minutes=240),
    ]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('term = "2026w"', 'term = "2026 w"', "course.term must be letters, digits and hyphens, not '2026 w'."),
        ('term = "2026w"\n', "", "course.term is missing; it must be letters, digits and hyphens."),
        (
            "first_day = 2026-10-18",
            'first_day = "2026-10-18"',
            "course.first_day must be an unquoted date, such as 2026-10-18, not '2026-10-18'.",
        ),
        (
            "last_day = 2027-01-29",
            "last_day = 2026-01-29",
            "course: last_day 2026-01-29 is before first_day 2026-10-18.",
        ),
        (
            '"Asia/Jerusalem"',
            '"Asia/Nowhere"',
            "course.timezone must be an IANA time zone name, such as \"Asia/Jerusalem\", not 'Asia/Nowhere'.",
        ),
        (
            '"campus.example.ac.il"',
            '"@campus"',
            "course.email_domains[0] must be a domain such as \"campus.example.ac.il\", without @, not '@campus'.",
        ),
        (
            "max_group_size = 6",
            'max_group_size = "6"',
            "course.max_group_size must be a whole number; 0 means no limit, not '6'.",
        ),
        ("sql_access = false", "sql_access = 0", "students.sql_access must be true or false, not 0."),
        ("max_workers = 2", "max_workers = 0", "cluster.max_workers must be a whole number from 1 to 1000, not 0."),
        (
            "min_workers = 1",
            "min_workers = 3",
            "cluster: max_workers 2 is less than min_workers 3.",
        ),
        (
            'data_security_mode = "USER_ISOLATION"',
            'data_security_mode = "OPEN"',
            'cluster.data_security_mode must be "USER_ISOLATION" or "NONE", not \'OPEN\'.',
        ),
        (
            'log_destination = ""',
            'log_destination = "/tmp"',
            'cluster.log_destination must be "/Volumes/…", "dbfs:/…" or empty, not \'/tmp\'.',
        ),
        (
            'PYSPARK_PYTHON = "/databricks/python3/bin/python3"',
            "PYSPARK_PYTHON = 3",
            "cluster.spark_env_vars.PYSPARK_PYTHON must be a string in quotes, not 3.",
        ),
        (
            'pypi = "nltk==3.9.1"',
            'pypi = "nltk==3.9.1"\nwhl = "/Volumes/a.whl"',
            "libraries[0]: needs exactly one of pypi, maven, jar and whl, not pypi and whl.",
        ),
        ("hard_minutes = 180", "hard_minutes = 100", "quota: soft_minutes 150 is above hard_minutes 100."),
        (
            "hard_minutes = 240",
            "hard_minutes = 100",
            "quota: groups.group_07: soft_minutes 150 is above hard_minutes 100.",
        ),
        (
            'profile = "LAB"',
            'profile = "LAB"\nhost = "https://a.net"',
            "targets.production: has both profile and host; keep one.",
        ),
        (
            "[targets.rehearsal]",
            '[targets."my laptop"]',
            "targets.my laptop: a name here must consist of letters, digits and hyphens.",
        ),
        (
            'key = "94290-2026w.tfstate"',
            "",
            "targets.production.backend: type azurerm also needs key.",
        ),
        (
            "# use_azuread_auth = true",
            'use_azuread_auth = "yes"',
            "targets.production.backend.use_azuread_auth must be true (log in as the caller) or false (use the "
            "account's key), not 'yes'.",
        ),
        (
            'type = "azurerm"',
            'type = "s3"',
            'targets.production.backend.type must be "local" or "azurerm", not \'s3\'.',
        ),
        (
            'default_target = "rehearsal"',
            'default_target = "moon"',
            "default_target 'moon' is not one of rehearsal, production.",
        ),
    ],
)
def test_an_error_contains_the_key_and_the_allowed_values(old: str, new: str, sentence: str):
    assert problems(changed(old, new)) == [f"lab.toml: {sentence}"]


def test_all_errors_are_reported_at_once():
    text = changed('term = "2026w"', 'term = ""').replace("pin = true", "pin = 1").replace("sql_access = false", "")
    text = text.replace("hard_minutes = 180", "hard_minutes = 5000")
    assert [sentence.split()[1] for sentence in problems(text)] == ["course.term", "cluster.pin", "quota.hard_minutes"]


def test_an_unknown_key_is_reported_without_its_value():
    [sentence] = problems(changed('profile = "LAB"', 'token = "dapi0123456789"'))
    assert sentence.startswith("lab.toml: targets.production.token is not a known key; allowed here: profile, host, ")
    assert "dapi" not in sentence


def test_invalid_toml_is_reported_with_its_line():
    [sentence] = problems(EXAMPLE.replace("[students]", "[students"))
    assert re.fullmatch(r"lab\.toml: invalid TOML: .+ \(at line \d+, column \d+\)\.", sentence)


def test_a_missing_or_binary_file_causes_one_message(tmp_path: Path):
    with pytest.raises(
        LabSettingsError, match=r"lab\.toml cannot be read \(No such file or directory\); set LAB_CONFIG"
    ):
        load_settings(tmp_path / "lab.toml")
    (tmp_path / "lab.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LabSettingsError, match="not valid UTF-8"):
        load_settings(tmp_path / "lab.toml")


def test_limits_for_an_unknown_group_cause_an_error():
    lab = parse_settings(EXAMPLE, "lab.toml")
    assert lab.roster_problems(["group_07"], ["group_07"]) == []
    assert lab.roster_problems(["group_01"], []) == ["quota.groups.group_07: the roster has no group with this name."]


def test_more_than_a_hundred_pinned_clusters_cause_an_error():
    lab = parse_settings(EXAMPLE, "lab.toml")
    groups = [f"group_{number:02d}" for number in range(1, 102)]
    assert lab.roster_problems(groups, groups[:100]) == []
    assert lab.roster_problems(groups, groups) == [
        "cluster.pin is true, but a workspace pins at most 100 clusters and the roster has 101 groups; set it to false."
    ]


def with_calendar(lines: str) -> str:
    return EXAMPLE + f"\n[[calendar]]\n{lines}\n"


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('kind = "class"', "needs weekday, first_day or both"),
        ('kind = "party"\nweekday = "Monday"', None),
        (
            'kind = "exam"\nfirst_day = 2027-01-20\nlast_day = 2027-01-19',
            "last_day 2027-01-19 is before first_day 2027-01-20",
        ),
        ('kind = "exam"\nfirst_day = 2027-01-20\nsoft_minutes = 5', "soft_minutes is allowed only with hard_minutes"),
        (
            'kind = "exam"\nfirst_day = 2027-01-20\neffect = "free"\nhard_minutes = 5',
            "has both effect and hard_minutes; keep one",
        ),
        (
            'kind = "exam"\nfirst_day = 2027-01-20\nsoft_minutes = 6\nhard_minutes = 5',
            "soft_minutes 6 is above hard_minutes 5",
        ),
        (
            'kind = "blackout"\nweekday = "Monday"\nhours = "10:00-12:00"',
            "hours are allowed only with the effect \"free\"; 'blocked' is for whole days",
        ),
    ],
)
def test_a_contradictory_calendar_entry_is_an_error(lines: str, problem: str | None):
    expected = (
        f"lab.toml: calendar[0]: {problem}."
        if problem
        else 'lab.toml: calendar[0].kind must be "class", "exam", "holiday" or "blackout", not \'party\'.'
    )
    assert problems(with_calendar(lines)) == [expected]


@pytest.mark.parametrize("hours", ["10-12", "10:00-10:00", "10:00-24:00", "25:00-26:00", ""])
def test_invalid_hours_are_an_error(hours: str):
    lines = f'kind = "class"\nweekday = "Monday"\nhours = "{hours}"'
    assert problems(with_calendar(lines)) == [
        f'lab.toml: calendar[0].hours must be a part of a day such as "10:00-12:00", not {hours!r}.'
    ]


def test_a_calendar_entry_for_an_unknown_group_is_an_error():
    lab = parse_settings(with_calendar('kind = "exam"\nfirst_day = 2027-01-20\ngroups = ["group_99"]'), "lab.toml")
    assert lab.roster_problems(["group_07"], ["group_07"]) == ["calendar[0].groups: the roster has no group group_99."]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (
            'weekdays = ["Sunday"]\nhours = "18:00-08:00"',
            ": hours 18:00-08:00 must end on the day on which they begin.",
        ),
        (
            'weekdays = []\nhours = "08:00-18:00"',
            ".weekdays must be a list of one or more English weekday names, not [].",
        ),
    ],
)
def test_invalid_working_hours_are_an_error(lines: str, problem: str):
    assert problems(f"{EXAMPLE}\n[working_hours]\n{lines}\n") == [f"lab.toml: working_hours{problem}"]


def test_extensions_need_time_requests():
    table = "[extensions]\nminutes = 30\nper_week = 1\nnot_in = ['exam']\n\n"
    with_both = changed("[targets.rehearsal]", f"[requests]\nexpire_days = 3\n\n{table}[targets.rehearsal]")
    lab = parse_settings(with_both, "lab.toml")
    assert lab.requests and lab.extensions
    assert (lab.requests.expire_days, lab.extensions.minutes, lab.extensions.not_in) == (3, 30, ["exam"])
    with pytest.raises(LabSettingsError) as error:
        parse_settings(changed("[targets.rehearsal]", f"{table}[targets.rehearsal]"), "lab.toml")
    assert error.value.problems == [
        "lab.toml: [extensions] needs the table [requests], which lets groups ask for more time."
    ]

"""`labs.toml` is validated completely, and never holds a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from enforcer.fleet.labs_file import LabEntry, LabsFileError, parse_labs, read_labs

PATH = Path("/etc/lab/labs.toml")
TOKEN = "dapi0123456789abcdef"


def problems_of(text: str) -> list[str]:
    with pytest.raises(LabsFileError) as raised:
        parse_labs(text, PATH)
    return raised.value.problems


def test_each_table_is_a_lab_with_paths_relative_to_the_file() -> None:
    text = """
    [[lab]]
    name = "os"
    env = "os/.env"
    course = "94290"
    term = "2030w"
    database = "os/uptimes.db"

    [[lab]]
    name = "ml"
    profile = "ml"
    env = "/srv/common.env"
    database = "postgresql://lab@db.example/ml"
    mail_subscription = "teaching"
    """
    assert parse_labs(text, PATH) == (
        LabEntry(
            "os", f"{PATH}, lab 1, line 2", Path("/etc/lab/os/.env"), None, "94290", "2030w", "/etc/lab/os/uptimes.db"
        ),
        LabEntry(
            "ml",
            f"{PATH}, lab 2, line 9",
            Path("/srv/common.env"),
            "ml",
            database="postgresql://lab@db.example/ml",
            mail_subscription="teaching",
        ),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [f"{PATH} has no lab; write a table [[lab]] with a name for each."]),
        ("lab = 3", [f"{PATH} has no lab; write a table [[lab]] with a name for each."]),
        (
            "[[lab]",
            [f"{PATH} is not valid TOML: Expected ']]' at the end of an array declaration (at line 1, column 6)."],
        ),
        (
            '[[lab]]\nenv = "a"',
            [f"{PATH}, lab 1, line 1: the name is missing."],
        ),
        (
            '[[lab]]\nname = "a b"\nenv = "a"',
            [f'{PATH}, lab 1, line 1: the name "a b" must have 1 to 40 letters, digits, dots, dashes or underscores.'],
        ),
        (
            '[[lab]]\nname = "a"',
            [f"{PATH}, lab 1, line 1: env or profile is missing: the lab's .env, or a profile of the Databricks CLI."],
        ),
        (
            '[[lab]]\nname = "a"\nenv = "a"\ncourse = "1"',
            [f"{PATH}, lab 1, line 1: course and term belong together; write both or neither."],
        ),
        ('[[lab]]\nname = "a"\nenv = 7', [f"{PATH}, lab 1, line 1: env must be text in quotes."]),
        (
            '[[lab]]\nname = "a"\nenv = "a"\nperiod = 3',
            [
                f'{PATH}, lab 1, line 1: the key "period" is unknown; known: name, env, profile, course, term,'
                " database, mail_subscription."
            ],
        ),
        (
            '[[lab]]\nname = "a"\nenv = "a"\n\n[[lab]]\nname = "A"\nenv = "b"',
            [f'{PATH}, lab 2, line 5: the name "A" is also the name of {PATH}, lab 1, line 1.'],
        ),
    ],
)
def test_each_problem_is_reported_with_its_place(text: str, expected: list[str]) -> None:
    assert problems_of(text) == expected


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (f'token = "{TOKEN}"', '"token"'),
        (f'DATABRICKS_TOKEN = "{TOKEN}"', '"DATABRICKS_TOKEN"'),
        (f'AZURE_EMAIL_ACCESS_KEY = "{TOKEN}"', '"AZURE_EMAIL_ACCESS_KEY"'),
        (f'connection_string = "endpoint=https://x;accesskey={TOKEN}"', '"connection_string"'),
        (f'password = "{TOKEN}"', '"password"'),
        (f'database = "postgresql://lab:{TOKEN}@db.example/ml"', "the password in database"),
        (f'database = "postgresql://lab@db.example/ml?password={TOKEN}"', "the password in database"),
        (f'env = "{TOKEN}"', '"env"'),
        (f'profile = "accesskey={TOKEN}"', '"profile"'),
    ],
)
def test_a_secret_is_refused_by_its_key_without_its_value(line: str, key: str) -> None:
    more = "" if line.startswith("env") else '\nenv = "a"'
    (problem,) = problems_of(f'[[lab]]\nname = "a"{more}\n{line}')

    assert problem.startswith(f"{PATH}, lab 1, line 1: {key} is or contains a secret, which this file must not have")
    assert TOKEN not in problem


def test_a_malformed_database_is_not_shown() -> None:
    (problem,) = problems_of(f'[[lab]]\nname = "a"\nenv = "a"\ndatabase = "postgresql://lab:{TOKEN}/@x@db/ml"')
    assert TOKEN not in problem and "database must be a path, or postgresql://" in problem


def test_an_unreadable_file_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(LabsFileError, match="cannot be read"):
        read_labs(tmp_path / "labs.toml")
    (tmp_path / "labs.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(LabsFileError, match="is not UTF-8 text"):
        read_labs(tmp_path / "labs.toml")

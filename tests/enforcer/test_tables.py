"""Tables and JSON: the same facts, and nothing in them that steers a terminal."""

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.tables import harmless, print_json, print_table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("צוות 3, Zoë 👩\u200d🔬", "צוות 3, Zoë 👩\u200d🔬"),
        ("a\nb\tc", "a\\x0ab\\x09c"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202egnp.exe\u2069", "\\u202egnp.exe\\u2069"),
        ("\u2028\ufeff\ud800", "\\u2028\\ufeff\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_could_steer_a_terminal_is_spelled_out_and_all_else_stays(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text()), max_size=3))
def test_json_means_what_it_meant_and_shows_no_steering_character(value: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        out = io.StringIO()
        patch.setattr("sys.stdout", out)
        print_json(value)

    assert json.loads(out.getvalue()) == value
    assert {unicodedata.category(c) for c in out.getvalue() if c not in "\n\u200c\u200d"} & {
        "Cc",
        "Cf",
        "Cs",
        "Zl",
    } == set()


def test_a_table_that_is_piped_has_a_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["group", "used"], [("[red]x[/red]\n", 5), ("y" * 300, None)])

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["group", "used"],
        ["[red]x[/red]\\x0a", "5"],
        ["y" * 300],
    ]

"""Tables and JSON: the same facts, and nothing in them that steers a terminal."""

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.tables import print_json, print_table


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

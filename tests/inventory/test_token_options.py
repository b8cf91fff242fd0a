"""A token is read from a file or standard input, so that it does not appear in the process list."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from inventory.commands.options import _read_token
from labkit.extras.cli import CommandError


def test_a_token_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(" dapi-1\n\n")
    assert _read_token(tmp_path / "token") == "dapi-1"


def test_a_token_is_read_from_the_first_line_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    given = io.StringIO("dapi-1\nthe typed sentence\n")
    monkeypatch.setattr("sys.stdin", given)
    assert (_read_token(Path("-")), given.read()) == ("dapi-1", "the typed sentence\n")


@pytest.mark.parametrize("text", ["", "\ndapi-1\n", "two words\n"])
def test_invalid_input_for_a_token_is_rejected(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    with pytest.raises(CommandError, match="the first line of standard input must contain one token and nothing else"):
        _read_token(Path("-"))

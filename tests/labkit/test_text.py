"""Untrusted text is made safe, and no other module has its own rule for it."""

from __future__ import annotations

import ast
import io
import logging
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from import_graph import PROGRAMS, TREE, program_of
from labkit.logs import LineFormatter
from labkit.text import escaped, first_line, multiline, one_line, quoted, redact_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("צוות 3, Zoë 👩\u200d🔬", "צוות 3, Zoë 👩\u200d🔬"),
        ("a\nb\tc", "a\\x0ab\\x09c"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202egnp.exe\u2069", "\\u202egnp.exe\\u2069"),
        ("\u2028\ufeff\ud800", "\\u2028\\ufeff\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("10\u00a0000", "10\u00a0000"),
        (ValueError("\x07"), "\\x07"),
    ],
)
def test_only_terminal_control_characters_are_escaped(text: object, shown: str) -> None:
    assert escaped(text) == shown


@given(st.text())
def test_escaping_escaped_text_changes_nothing(text: str) -> None:
    shown = escaped(text)
    left = {unicodedata.category(letter) for letter in shown if letter not in "\u200c\u200d"}
    assert (left & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}, escaped(shown)) == (set(), shown)


@pytest.mark.parametrize(
    ("text", "shown"), [("a\n", '"a\\x0a"'), ("x" * 61, f'"{"x" * 59}…"'), ("x" * 60, f'"{"x" * 60}"')]
)
def test_a_quoted_string_is_escaped_and_short(text: str, shown: str) -> None:
    assert quoted(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (" a \r\n\t b ", "a b"),
        ("a\u202eb\u200bc", "a b c"),
        ("x" * 301, "x" * 299 + "…"),
    ],
)
def test_one_line_has_single_spaces_and_no_invisible_characters(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_multiline_text_keeps_its_lines_and_its_end() -> None:
    assert (multiline("a\r\n\tb\x1b[2J"), multiline("abc", 2)) == ("a\n\tb [2J", "bc")


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ValueError("the first.\nthe second"), "the first"),
        (ValueError("\n it failed"), "it failed"),
        (ValueError("cannot configure. Config: host=x, token=***"), "cannot configure"),
        (TimeoutError(), "TimeoutError"),
        ("a text.", "a text"),
    ],
)
def test_the_first_line_of_an_error_says_what_failed(error: object, shown: str) -> None:
    assert first_line(error) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("token dapi0123456789abcdef-2 is wrong", "token … is wrong"),
        ("endpoint=https://x/;accesskey=abc==;more", "endpoint=https://x/;accesskey=…;more"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer …"),
        ("HMAC Signature=abc&more", "HMAC Signature=…"),
        ("eyJhbGciOi.eyJzdWIi.c2ln expired", "… expired"),
        ("postgresql://lab:pass@host/db", "postgresql://…@host/db"),
        ("postgresql://lab:1/p a@s?#s@host/db failed", "postgresql://…@host/db failed"),
        ("https://lab:p/a@s@host/x failed", "https://…@host/x failed"),
        ("http://127.0.0.1:8765/Users/dana@x failed", "http://127.0.0.1:8765/Users/dana@x failed"),
        ("abfss://term@lab.dfs.core.windows.net/x", "abfss://term@lab.dfs.core.windows.net/x"),
        (
            "https://lab.blob.core.windows.net/c?sv=1&sig=a%2Fb%3D&se=2",
            "https://lab.blob.core.windows.net/c?sv=1&sig=…&se=2",
        ),
        ("AccountName=lab;AccountKey=abc==;x=y", "AccountName=lab;AccountKey=…;x=y"),
        ("host=db password=secret user=lab", "host=db password=… user=lab"),
        ("the known secret and the known secret", "the … and the …"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_secrets_are_removed_from_a_string(text: str, shown: str) -> None:
    assert redact_secrets(text, known=["known secret", ""]) == shown


def test_a_log_record_is_one_line_and_its_traceback_several() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(LineFormatter("%(levelname)s %(message)s"))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    logger.warning("stop %s", "a\n\x1b]0;owned")
    try:
        raise ValueError("\x1b[2J")
    except ValueError:
        logger.exception("failed")
    lines = out.getvalue().splitlines()
    assert (lines[:3], lines[-1]) == (
        ["WARNING stop a\\x0a\\x1b]0;owned", "ERROR failed", "Traceback (most recent call last):"],
        "ValueError: \\x1b[2J",
    )


@pytest.mark.xdist_group("syntax trees")
def test_no_program_has_its_own_rule_for_printable_characters() -> None:
    """`isprintable` may validate input; a check of single characters would be an escaping."""
    found = {
        path
        for path in TREE.files
        if program_of(path) in (*PROGRAMS, "examples")
        for node in TREE.nodes(path)
        if isinstance(node, ast.GeneratorExp | ast.ListComp)
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and part.attr == "isprintable"
    }
    assert found == set()

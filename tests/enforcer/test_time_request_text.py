"""What a group may write into its file for time requests."""

import codecs
import re
import time
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.time_requests.parse import (
    LARGEST_FILE,
    LONGEST_REASON,
    MOST_MINUTES,
    AskedTime,
    NoRequest,
    Unreadable,
    parse_request,
)
from enforcer.time_requests.sentences import Reason, ask_again, kinds_in_words, sentence
from example_counts import at_most_examples
from labkit.course_file import PAGE_LANGUAGES

TEMPLATE = "# Write one line below, such as: 60 minutes: project deadline\n# כתבו שורה אחת\n\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60 minutes: project deadline", AskedTime(60, "project deadline")),
        (f"{TEMPLATE}60 minutes: project deadline\n", AskedTime(60, "project deadline")),
        ("1h 30m - exam", AskedTime(90, "exam")),
        ("90", AskedTime(90, "")),
        ("1.5 hours please", AskedTime(90, "please")),
        ("1,5 hours", AskedTime(90, "")),
        ("1,000 minutes", AskedTime(1000, "")),
        ("2 hours and 15 minutes: long job", AskedTime(135, "long job")),
        ("1h30", AskedTime(90, "")),
        ("1:30 for the exam", AskedTime(90, "for the exam")),
        ("at 10:00 we need 60 minutes", AskedTime(60, "at 10:00 we need 60 minutes")),
        ("We need 45 min. for the demo", AskedTime(45, "We need 45 min. for the demo")),
        ("project 2: half an hour", AskedTime(30, "project 2: half an hour")),
        ("an hour and a half", AskedTime(90, "")),
        ("• -60 minutes:\n the data\tis large", AskedTime(60, "the data is large")),
        ("0.2 minutes", AskedTime(1, "")),
        ("60 דקות: הגשת פרויקט", AskedTime(60, "הגשת פרויקט")),
        ("שעה וחצי, מבחן", AskedTime(90, "מבחן")),
        ("שעתיים", AskedTime(120, "")),
        ("٦٠ minutes", AskedTime(60, "")),
    ],
)
def test_durations_are_read_leniently(text, expected):
    assert parse_request(text.encode()) == expected


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1255"])
def test_encodings_of_editors_are_recognised(encoding):
    assert parse_request("60 minutes: הגשה".encode(encoding)) == AskedTime(60, "הגשה")


@pytest.mark.parametrize("content", [b"", b" \r\n\t", TEMPLATE.encode(), codecs.BOM_UTF8, b"# only\n- \n"])
def test_a_file_without_a_line_is_no_request(content):
    assert parse_request(content) == NoRequest()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"please help us", Reason.NO_TIME),
        (b"60%", Reason.NO_TIME),
        (b"0 minutes", Reason.OUT_OF_RANGE),
        (b"5000", Reason.OUT_OF_RANGE),
        (b'{"cells": [{"source": "60 minutes"}], "nbformat": 4}', Reason.NOT_TEXT),
        (b"<script>60 minutes</script>", Reason.NOT_TEXT),
        (b"\x00\x01\x02\x03 60 minutes", Reason.NOT_TEXT),
        (b"PK\x03\x04\x00\x00\x08\x00\x00", Reason.NOT_TEXT),
        (b"60 minutes: " + b"x" * LARGEST_FILE, Reason.TOO_LARGE),
    ],
)
def test_an_unreadable_file_has_a_reason(content, reason):
    assert parse_request(content) == Unreadable(reason)


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
def test_every_reason_is_a_sentence_in_each_language(language):
    values = {"most": 1440, "number": 2, "kinds": kinds_in_words(["exam", "class"], language), "left": 19}
    for reason in Reason:
        text = sentence(reason, language, **values)
        assert text.endswith(".")
        assert "{" not in text
        assert bool(re.search("[א-ת]", text)) is (language == "he")
    again = [ask_again(date(2026, 11, 8) + timedelta(days=number), language) for number in range(7)]
    assert len(set(again)) == 7
    assert "2026-11-08" in again[0]


def test_a_long_reason_is_cut_off():
    found = parse_request(b"60 minutes: " + b"x" * 3000)
    assert found == AskedTime(60, "x" * (LONGEST_REASON - 1) + "…")


@pytest.mark.parametrize(
    "text",
    ["1h" + "," * 4000, "1" * 4000, "1h " * 1300, "an hour " * 500, "1,1" * 1300, "a 1:" * 1000],
)
def test_no_text_takes_long_to_parse(text):
    began = time.process_time()
    parse_request(text.encode())
    assert time.process_time() - began < 0.5


@at_most_examples(100)
@given(st.one_of(st.binary(max_size=LARGEST_FILE + 1), st.text(max_size=500).map(lambda text: text.encode("utf-8"))))
def test_any_bytes_have_a_bounded_result_of_one_line(content):
    match parse_request(content):
        case AskedTime(minutes, reason):
            assert 1 <= minutes <= MOST_MINUTES
            assert isinstance(minutes, int)
            assert len(reason) <= LONGEST_REASON
            assert "\n" not in reason
            assert "\x00" not in reason
            assert reason == reason.strip()
            reason.encode()
        case Unreadable(reason):
            assert reason in Reason
        case found:
            assert found == NoRequest()

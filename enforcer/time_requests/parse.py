"""Parses what a group wrote into its file: the minutes and the reason. Pure.

Any bytes may be in the file. Lines that begin with `#` are the explanation that the lab wrote into it.
"""

import codecs
import math
import re
from dataclasses import dataclass

from enforcer.time_requests.sentences import Reason
from labkit.text import one_line

LARGEST_FILE = 4096
"""Maximum size of a file, in bytes; a larger one is not read."""
LONGEST_REASON = 200
"""Maximum length of a reason, in characters; the rest is cut off."""
MOST_MINUTES = 1440
"""Maximum number of minutes in a time request: a day."""


@dataclass(frozen=True)
class AskedTime:
    """The group asks for more time."""

    minutes: int
    """1 to MOST_MINUTES."""
    reason: str
    """One line without invisible characters; may be empty."""


@dataclass(frozen=True)
class NoRequest:
    """The file is empty or as the lab wrote it."""


@dataclass(frozen=True)
class Unreadable:
    """The file's text cannot be understood."""

    reason: Reason


Parsed = AskedTime | NoRequest | Unreadable

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NUMBER = r"\d{1,3}(?:,\d{3})+(?!\d)|\d{1,6}(?:[.,]\d{1,3})?"
_HOUR_UNIT = r"(?:hours?|hrs?|h|שעות|שעה|ש['׳])(?![^\W\d_])"
_MINUTE_UNIT = r"(?:minutes?|mins?|m|דקות|דקה|דק['׳]?)(?![^\W\d_])"
_BEFORE = r"(?<![\w.,:/])"
_AND = r"[\s,]*(?:and\s+|ו-?\s*|&\s*)?"
_CLOCK_AT_START = re.compile(r"(\d):([0-5]\d)(?![\w:])")
_CLOCK = re.compile(rf"{_BEFORE}(\d{{1,2}}):([0-5]\d)\s*{_HOUR_UNIT}", re.I)
_HOURS = re.compile(
    rf"{_BEFORE}({_NUMBER})\s*-?{_HOUR_UNIT}"
    rf"(?:{_AND}({_NUMBER})\s*-?{_MINUTE_UNIT}|\s*([0-5]?\d)(?![\w.,:]))?",
    re.I,
)
_HOURS_SHORT = re.compile(rf"{_BEFORE}(\d{{1,2}})h([0-5]?\d)(?:{_MINUTE_UNIT})?(?![\w.,:])", re.I)
_MINUTES = re.compile(rf"{_BEFORE}({_NUMBER})\s*-?{_MINUTE_UNIT}", re.I)
_BARE = re.compile(rf"({_NUMBER})(?![\w%/]|:[0-5]\d(?!\d))")
_WORDS = (
    (re.compile(r"\b(?:an|one)\s+hour\s+and\s+a\s+half\b|שעה\s+וחצי", re.I), 90),
    (re.compile(r"\bhalf\s+an?\s+hour\b|חצי\s+שעה", re.I), 30),
    (re.compile(r"\b(?:two)\s+hours\b|שעתיים", re.I), 120),
    (re.compile(r"\bthree\s+hours\b|שלוש\s+שעות", re.I), 180),
    (re.compile(r"\b(?:an|one)\s+hour\b|(?<!\w)שעה(?:\s+אחת)?(?!\w)", re.I), 60),
)
_LEADING = " \t-–—*•>+:.,;\"'“”„׳״()[]"
_SEPARATORS = " \t-–—:.,;!?)(]["


def parse_request(content: bytes) -> Parsed:
    """Return what the file asks for.

    The first duration counts; a number without a unit is minutes, and only at the start. Everything after a duration at
    the start is the reason, else the whole text.
    """
    if len(content) > LARGEST_FILE:
        return Unreadable(Reason.TOO_LARGE)
    decoded = _decoded(content)
    if decoded is None:
        return Unreadable(Reason.NOT_TEXT)
    lines = [line for line in decoded.splitlines() if not line.lstrip().startswith("#")]
    text = one_line(" ".join(lines), LARGEST_FILE)
    if not text.strip(_LEADING):
        return NoRequest()
    if text.startswith(("{", "[{", "<")):
        return Unreadable(Reason.NOT_TEXT)
    text = text.lstrip(_LEADING)
    found = _duration(text)
    if found is None:
        return Unreadable(Reason.NO_TIME)
    minutes, start, end = found
    if not 1 <= minutes <= MOST_MINUTES:
        return Unreadable(Reason.OUT_OF_RANGE)
    reason = text[end:].strip(_SEPARATORS) if start == 0 else text
    return AskedTime(minutes, one_line(reason, LONGEST_REASON))


def _decoded(content: bytes) -> str | None:
    """Return the text in the most likely encoding; None if it is not text."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors="replace")
    nulls = content.count(0)
    if nulls * 3 > len(content):
        # Every other byte of ASCII in UTF-16 is zero.
        encoding = "utf-16-be" if content[:1] == b"\0" else "utf-16-le"
        return content.decode(encoding, errors="replace") if content[:4].count(0) == 2 else None
    if nulls:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1255", errors="replace")


def _duration(text: str) -> tuple[int, int, int] | None:
    """Return the minutes of the first duration, rounded up, and its bounds in the text; None without a duration."""
    found: list[tuple[float, int, int]] = []
    for match in filter(None, [_CLOCK_AT_START.match(text), _CLOCK.search(text)]):
        found.append((60 * int(match[1]) + int(match[2]), *match.span()))
    for match in filter(None, [_HOURS_SHORT.search(text), _HOURS.search(text)]):
        more = next((part for part in match.groups()[1:] if part), "0")
        found.append((60 * _number(match[1]) + _number(more), *match.span()))
    for match in filter(None, [_MINUTES.search(text)]):
        found.append((_number(match[1]), *match.span()))
    for pattern, meaning in _WORDS:
        for match in filter(None, [pattern.search(text)]):
            found.append((meaning, *match.span()))
    if bare := _BARE.match(text):
        found.append((_number(bare[1]), *bare.span()))
    if not found:
        return None
    minutes, start, end = min(found, key=lambda one: (one[1], -one[2]))
    return math.ceil(minutes), start, end


def _number(text: str) -> float:
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+", text):
        return float(text.replace(",", ""))
    return float(text.replace(",", "."))

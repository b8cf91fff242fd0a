"""Subject, text and HTML of every message, hostile names, and a course's own templates."""

from __future__ import annotations

import html.parser
import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.domain.allowances import Allowance, LimitOverride
from enforcer.domain.quota import Limit, LimitUsage, Period
from enforcer.mail import messages
from enforcer.mail.messages import OURS, Message, Notice, UndeliveredMessage

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 11, 1, 10, 5, tzinfo=UTC)
SUNDAY = date(2026, 11, 1)
ADMIN = "admin@campus.example"
STUDENTS = ("dana@campus.example", "noa@campus.example")
HOSTILE = (
    '<script>alert(1)</script>"\r\nBcc: all@campus.example\r\n\r\n<img src=x>'
    '\u202egnp.exe\u2066\u200f=HYPERLINK("x")\x00\x1b[31m'
)


def limit(period: Period = Period.DAY, *allowances: Allowance, last: date = SUNDAY) -> Limit:
    moved = sum((one.change for one in allowances if isinstance(one.change, timedelta)), timedelta())
    replaced = timedelta() if any(one.change is LimitOverride.BLOCKED for one in allowances) else None
    return Limit(period, SUNDAY, last, 150 * MINUTE + moved, 180 * MINUTE + moved, 180 * MINUTE, allowances, replaced)


def allowance(change: Any, reason: str = "project deadline") -> Allowance:
    return Allowance("1", "group_03", SUNDAY, SUNDAY, change, reason, "staff", NOW)


def notice(usage: LimitUsage | None = None, **changes: Any) -> Notice:
    plain: dict[str, Any] = {
        "course": "Data Engineering",
        "group": "Team 3",
        "cluster": "cluster_03",
        "limit_usage": usage or LimitUsage(limit(), 155 * MINUTE + timedelta(seconds=20)),
        "tz": ZoneInfo("Asia/Jerusalem"),
        "now": NOW,
    }
    return Notice(**{**plain, **changes})


def warning(reported: Notice | None = None, to: tuple[str, ...] = STUDENTS, **more: Any) -> Message:
    return messages.warning(reported or notice(), to=to, admin=more.pop("admin", ADMIN), **more)


def stopped(reported: Notice | None = None, to: tuple[str, ...] = STUDENTS, **more: Any) -> Message:
    return messages.stopped(reported or notice(), to=to, admin=more.pop("admin", ADMIN), **more)


class _Seen(html.parser.HTMLParser):
    """Collects the words and tags of an HTML page, as a mail program reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_warning_has_usage_limit_reset_and_advice() -> None:
    message = warning()
    assert (message.subject, message.to, message.cc, message.reply_to) == (
        "Data Engineering: 25 minutes of cluster time left for Team 3",
        STUDENTS,
        (ADMIN,),
        (ADMIN,),
    )
    for said in (
        "155 minutes",
        "180 minutes",
        "25 minutes",
        "Monday, 02 November 2026 at 00:00",
        "Save your work",
        ADMIN,
    ):
        assert said in message.text and said in _Seen(message.html).text, said


def test_a_stop_message_contains_the_reason_for_the_limit() -> None:
    message = stopped(notice(LimitUsage(limit(Period.DAY, allowance(60 * MINUTE)), 240 * MINUTE)))
    assert message.subject == "Data Engineering: the cluster of Team 3 is off, its limit is reached"
    for said in ("240 minutes", "180 + 60 minutes: project deadline", "Monday, 02 November 2026 at 00:00"):
        assert said in message.text and said in _Seen(message.html).text, said


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        (limit(Period.WEEK, last=date(2026, 11, 7)), "Sunday, 08 November 2026 at 00:00"),
        (limit(Period.TERM, last=date(2027, 1, 29)), "not before the end of the term"),
        (limit(Period.DAY, allowance(LimitOverride.BLOCKED, "exam")), "0 instead of 180 minutes: exam"),
    ],
)
def test_a_message_is_about_the_tightest_limit(reported: Limit, expected: str) -> None:
    message = stopped(notice(LimitUsage(reported, 180 * MINUTE)))
    assert expected in message.text and expected in _Seen(message.html).text


def test_a_message_to_a_group_without_members_goes_to_the_admin() -> None:
    message = stopped(to=())
    assert (message.to, message.cc) == ((ADMIN,), ())
    assert "no members" in message.text and "no members" in message.html


def test_an_admin_who_is_a_member_gets_no_second_copy() -> None:
    message = warning(to=(ADMIN, *STUDENTS))
    assert (message.to, message.cc) == ((ADMIN, *STUDENTS), ())


def test_without_an_admin_there_are_no_copies() -> None:
    message = warning(admin=None)
    assert (message.to, message.cc, message.reply_to) == (STUDENTS, (), ())
    assert "None" not in message.text + message.html


def every_letter(name: str, folder: Path | None = None) -> dict[str, Message]:
    """One message of each kind, with this name as every name, cause and reason."""
    reported = notice(
        LimitUsage(limit(Period.DAY, allowance(MINUTE, name)), 155 * MINUTE), course=name, group=name, cluster=name
    )
    unsent = [UndeliveredMessage(name, (name,), NOW, name)]
    return {
        "warning": warning(reported, folder=folder),
        "stopped": stopped(reported, folder=folder),
        "crash": messages.crash(cause=name, trace=name, at=NOW, admin=ADMIN, folder=folder),
        "given_up": messages.given_up(unsent, at=NOW, admin=ADMIN, folder=folder),
        "digest": messages.digest([(NOW, name)], hour=NOW, admin=ADMIN, folder=folder),
        "test": messages.test(to=ADMIN, at=NOW, sender=name, folder=folder),
        "time_requests": messages.time_requests(
            [messages.AskedTime("r1", name, name, 60, name, NOW)], course=name, tz=UTC, to=[ADMIN], folder=folder
        ),
        "staff_note": messages.staff_note(title=name, text=name, to=[ADMIN], folder=folder),
    }


NAMES = sorted({path.name.partition(".")[0] for path in OURS.glob("*.txt.j2")} - {"report", "weekly"})


def test_every_message_kind_has_a_text_and_an_html_template() -> None:
    plain = every_letter("Team 3")
    assert set(plain) == set(NAMES)
    for name, message in plain.items():
        assert message.subject and message.text and message.html.startswith("<!DOCTYPE html>"), name
        assert "{{" not in message.text + message.html and "None" not in message.text + message.html, name


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_escaped_in_sent_emails(name: str) -> None:
    plain, hostile = every_letter("Team 3")[name], every_letter(HOSTILE)[name]
    assert len(hostile.subject.splitlines()) == 1 and len(hostile.subject) <= messages.SUBJECT_LENGTH
    assert hostile.subject.isprintable()
    assert _Seen(hostile.html).tags == _Seen(plain.html).tags
    assert _Seen(hostile.html).attributes == _Seen(plain.html).attributes
    for text in (hostile.text, hostile.html):
        # The isolates around names in the text templates occur in pairs.
        assert text.count("\u2068") == text.count("\u2069")
        assert not set(text) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u200f\x00\x1b\r")


@given(st.text(max_size=60))
def test_names_cannot_add_tags_lines_or_headers(name: str) -> None:
    plain, message = warning(notice(group="x")), warning(notice(group=name))
    assert _Seen(message.html).tags == _Seen(plain.html).tags
    assert len(message.text.split("\n")) == len(plain.text.split("\n"))
    assert "\n" not in message.subject and "\r" not in message.subject
    message.subject.encode()
    message.text.encode()
    message.html.encode()


def test_secrets_in_an_error_are_redacted_in_the_message() -> None:
    secrets = {
        "dapi0123456789abcdef0123456789abcdef": "token dapi0123456789abcdef0123456789abcdef",
        "c2VjcmV0": "endpoint=https://x;accesskey=c2VjcmV0",
        "abc.def": "Authorization: Bearer abc.def",
        "eyJhbGciOi.eyJzdWIi.c2ln": "got eyJhbGciOi.eyJzdWIi.c2ln",
        "hunter2": "postgresql://lab:hunter2@db/lab",
    }
    for secret, text in secrets.items():
        message = messages.crash(cause=text, trace=f"Traceback\n{text}\nend", at=NOW, admin=ADMIN)
        assert secret not in message.subject + message.text + message.html
        assert "Traceback\n" in message.text and "\nend" in message.text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Templates of a course: a Hebrew warning, everything else built in."""
    (tmp_path / "layout.html.j2").write_text(
        (OURS / "layout.html.j2").read_text().replace("%}en{%", "%}he{%").replace("%}ltr{%", "%}rtl{%")
    )
    (tmp_path / "warning.txt.j2").write_text(
        "Subject: {{ course }}: נותרו {{ left }} דקות ל{{ group }}\n\nנוצלו {{ used }} מתוך {{ hard }} דקות.\n"
    )
    (tmp_path / "warning.html.j2").write_text(
        '{% extends "layout.html.j2" %}{% block body %}'
        "<p>נוצלו {{ used }} מתוך {{ hard }} דקות, {{ group }}.</p>{% endblock %}"
    )
    return tmp_path


def test_templates_in_a_folder_can_be_hebrew(folder: Path) -> None:
    message = warning(notice(group="<b>צוות</b>"), folder=folder)
    assert message.subject == "Data Engineering: נותרו 25 דקות ל<b>צוות</b>"
    assert message.text == "נוצלו 155 מתוך 180 דקות.\n"
    assert '<html lang="he" dir="rtl">' in message.html and "&lt;b&gt;צוות&lt;/b&gt;" in message.html
    assert messages.problems_of(folder) == []


def test_built_in_templates_use_the_layout_in_the_folder(folder: Path) -> None:
    message = stopped(folder=folder)
    assert message.text == stopped().text
    assert message.html == stopped().html.replace('lang="en" dir="ltr"', 'lang="he" dir="rtl"')


@pytest.mark.parametrize(
    ("text", "is_found_by_reading"),
    [
        ("Subject: x\n{{ nothing.like.this }}", False),
        ("Subject: x\n{% if %}", True),
        ("no subject\n", False),
        ("Subject: x\n{{ 1 / 0 }}", False),
    ],
)
def test_the_built_in_template_replaces_an_invalid_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, is_found_by_reading: bool
) -> None:
    (tmp_path / "warning.txt.j2").write_text(text)
    assert warning(folder=tmp_path) == warning()
    assert f"warning.*.j2 in {tmp_path} cannot be used" in caplog.text
    assert [str(tmp_path / "warning.txt.j2") in one for one in messages.problems_of(tmp_path)] == [
        True
    ] * is_found_by_reading


def test_the_documented_hebrew_templates_work(tmp_path: Path) -> None:
    text = (OURS.parents[2] / "docs" / "mail-templates.md").read_text()
    blocks = [block.split("\n\n\nand")[0] for block in text.split("`:\n\n")[1:]]
    for name, block in zip(("warning.txt.j2", "warning.html.j2"), blocks, strict=True):
        (tmp_path / name).write_text("\n".join(line.removeprefix("    ") for line in block.splitlines()))
    assert messages.problems_of(tmp_path) == []
    message = warning(folder=tmp_path)
    assert message.subject == "Data Engineering: נותרו 25 דקות לTeam 3"
    assert message.text.splitlines()[-1] == "הספירה מתחילה מחדש ב־02.11.2026 בשעה 00:00."
    assert "<p><bdi>Team 3</bdi>: נוצלו 155 מתוך 180 דקות.</p>" in message.html


def test_a_missing_template_folder_is_ignored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    assert warning(folder=tmp_path / "none") == warning()
    assert not caplog.records
    assert messages.problems_of(tmp_path / "none") == [
        f"LAB_MAIL_TEMPLATES: {tmp_path / 'none'} is not a folder; create it, or unset LAB_MAIL_TEMPLATES"
    ]


def test_a_template_for_version_0_1_is_rendered(tmp_path: Path) -> None:
    (tmp_path / "digest.txt.j2").write_text("Subject: {% for one in letters %}{{ one.subject }}{% endfor %}\n")
    (tmp_path / "digest.html.j2").write_text("{{ letters|length }}")

    digest = messages.digest([(NOW, "Hello")], hour=NOW, admin=ADMIN, folder=tmp_path)

    assert (digest.subject, digest.html) == ("Hello", "1\n")


def test_a_report_template_for_version_0_1_is_rendered(tmp_path: Path) -> None:
    (tmp_path / "report.txt.j2").write_text("Subject: {{ past }} {{ apart }} {{ rows[0].past }}\n")
    (tmp_path / "report.html.j2").write_text("")
    values = {"overrun": "1.0", "uncounted": 20, "rows": [{"overrun": "0.5"}]}

    assert messages.report(values, to=(ADMIN,), folder=tmp_path).subject == "1.0 20 0.5"

"""A page with everything that a page can show, and one text of people in every place for such texts."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from enforcer.domain.allowances import Window
from enforcer.domain.message_kinds import MessageKind
from enforcer.pages.content import AskingForTime, CalendarLine, Change, Mail, PageContent, PeriodUsage, State
from enforcer.time_requests.model import State as RequestState
from enforcer.time_requests.model import TimeRequest

JERUSALEM = ZoneInfo("Asia/Jerusalem")
NOW = datetime(2026, 11, 2, 14, 5, tzinfo=JERUSALEM)
MONDAY, TUESDAY, EXAM = date(2026, 11, 2), date(2026, 11, 3), date(2027, 1, 20)
FILE = "/lab-94290-2026w/requests/group_03.txt"


def full_page(text: str, state: State = State.RUNNING) -> PageContent:
    """Return a page in this state, with `text` in every place in which people's texts are."""
    is_running = state in (State.RUNNING, State.UNCOUNTED)
    is_over = state is State.REACHED
    usages = (
        PeriodUsage("day", 240 if is_over else 155, 0 if is_over else 85, 240, 180, True, is_over, TUESDAY),
        PeriodUsage("week", 311, 289, 600, 600, False, False, date(2026, 11, 8)),
        PeriodUsage("term", 1200, 4800, 6000, 6000, False, False, None),
    )
    changes = (
        Change(-30, False, False, None, MONDAY, MONDAY, text),
        Change(60, False, False, None, MONDAY, TUESDAY, text),
        Change(None, True, False, None, MONDAY, MONDAY, text),
        Change(None, False, True, None, TUESDAY, TUESDAY, text),
        Change(None, False, False, Window(0, time(10), time(12)), MONDAY, EXAM, text),
    )
    calendar = (
        CalendarLine("class", text, "free", 0, "10:00", "12:00", MONDAY, EXAM, None),
        CalendarLine("holiday", text, "usual", None, "", "", date(2026, 12, 6), date(2026, 12, 8), None),
        CalendarLine("exam", text, "limits", None, "", "", EXAM, EXAM, 300),
        CalendarLine("exam", text, "unlimited", None, "", "", EXAM, EXAM, None),
        CalendarLine("blackout", text, "blocked", None, "", "", EXAM, EXAM, None),
    )
    requests = tuple(
        TimeRequest(f"{number}", "group_03", NOW, 60, text, answer, text, NOW, 30)
        for number, answer in enumerate(RequestState)
    )
    return PageContent(
        course=text,
        group=text,
        clusters=(text,),
        state=state,
        as_of=NOW if is_running else None,
        last_ran=None if is_running else NOW,
        free_until=NOW if state is State.UNCOUNTED else None,
        runs_out=NOW if state is State.RUNNING else None,
        usages=() if state is State.READY else usages,
        unlimited_reasons=(text,) if state is State.READY else (),
        changes=changes,
        more_changes=3,
        calendar=calendar,
        mails=(Mail(MessageKind.STOPPED, NOW, text), Mail(MessageKind.WARNING, NOW, text)),
        requests=requests,
        asking=AskingForTime("admin@campus.example", FILE, "https://adb-1.azuredatabricks.net/?o=1#files/2"),
        first_weekday=6,
        last_day=date(2027, 1, 29),
        runtime="17.3.x-scala2.13",
        libraries=("nltk==3.9.1", text),
    )

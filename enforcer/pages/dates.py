"""Days and times in the languages of the pages. Pure."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class DateWords:
    """How a language writes days."""

    weekdays: tuple[str, ...]
    """Names of the days, from Monday."""
    months: tuple[str, ...]
    pattern: str
    """The format of a day, with `weekday`, `day`, `month` and `year`."""

    def day(self, day: date) -> str:
        """`Monday, 2 November 2026`"""
        weekday, month = self.weekdays[day.weekday()], self.months[day.month - 1]
        return self.pattern.format(weekday=weekday, day=day.day, month=month, year=day.year)

    def moment(self, at: datetime) -> str:
        """`Monday, 2 November 2026, 14:05`"""
        return f"{self.day(at.date())}, {at:%H:%M}"


DATE_WORDS = {
    "en": DateWords(
        tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()),
        tuple("January February March April May June July August September October November December".split()),
        "{weekday}, {day} {month} {year}",
    ),
    "he": DateWords(
        ("יום שני", "יום שלישי", "יום רביעי", "יום חמישי", "יום שישי", "שבת", "יום ראשון"),
        tuple("ינואר פברואר מרץ אפריל מאי יוני יולי אוגוסט ספטמבר אוקטובר נובמבר דצמבר".split()),
        "{weekday}, {day} ב{month} {year}",
    ),
}
"""By language, one of `labkit.course_file.PAGE_LANGUAGES`."""

"""The lab's own answers to time requests, as sentences in the languages of the groups' pages. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import Enum, auto

from enforcer.domain.course import Course

ENGLISH, HEBREW = "en", "he"


class Reason(Enum):
    """Why a time request is refused or ended without an answer by staff."""

    TOO_LARGE = auto()
    NOT_TEXT = auto()
    NO_TIME = auto()
    OUT_OF_RANGE = auto()
    TOO_OFTEN = auto()
    EXCLUDED_DAY = auto()
    BLOCKED = auto()
    UNLIMITED = auto()
    USED_UP = auto()
    WEEK_LEFT = auto()
    TERM_LEFT = auto()
    EXPIRED = auto()


_EXAMPLE = {ENGLISH: "60 minutes: project deadline", HEBREW: "60 דקות: הגשת פרויקט"}
_SENTENCES: Mapping[str, Mapping[Reason, str]] = {
    ENGLISH: {
        Reason.TOO_LARGE: "The file is too large; write one line, such as “{example}”.",
        Reason.NOT_TEXT: "The file is not plain text; write one line, such as “{example}”.",
        Reason.NO_TIME: "The file does not contain a number of minutes; write one line, such as “{example}”.",
        Reason.OUT_OF_RANGE: "The time must be 1 to {most} minutes; write one line, such as “{example}”.",
        Reason.TOO_OFTEN: "The file changed {number} times today; it is read again tomorrow.",
        Reason.EXCLUDED_DAY: "Nothing is granted automatically on days with these calendar entries: {kinds}.",
        Reason.BLOCKED: "The group is blocked today.",
        Reason.UNLIMITED: "There is no limit today.",
        Reason.USED_UP: "This week's extensions are used up (limit: {number}).",
        Reason.WEEK_LEFT: "Only {left} minutes are left of the week's limit.",
        Reason.TERM_LEFT: "Only {left} minutes are left of the term's limit.",
        Reason.EXPIRED: "Nobody answered in time; ask again if you still need the time.",
    },
    HEBREW: {
        Reason.TOO_LARGE: "הקובץ גדול מדי; כתבו שורה אחת, למשל “{example}”.",
        Reason.NOT_TEXT: "הקובץ אינו טקסט פשוט; כתבו שורה אחת, למשל “{example}”.",
        Reason.NO_TIME: "אין בקובץ מספר דקות; כתבו שורה אחת, למשל “{example}”.",
        Reason.OUT_OF_RANGE: "הזמן חייב להיות בין 1 ל-{most} דקות; כתבו שורה אחת, למשל “{example}”.",
        Reason.TOO_OFTEN: "הקובץ השתנה {number} פעמים היום; הוא ייקרא שוב מחר.",
        Reason.EXCLUDED_DAY: "אין הארכה מיידית ביום שבו מופיע בלוח הקורס: {kinds}.",
        Reason.BLOCKED: "הקבוצה חסומה היום.",
        Reason.UNLIMITED: "אין היום מגבלת זמן.",
        Reason.USED_UP: "מספר ההארכות המיידיות בשבוע הוא {number}, וכולן נוצלו השבוע.",
        Reason.WEEK_LEFT: "במכסה השבועית נותרו רק {left} דקות.",
        Reason.TERM_LEFT: "במכסה של הסמסטר נותרו רק {left} דקות.",
        Reason.EXPIRED: "לא התקבלה תשובה בזמן; בקשו שוב אם עדיין דרוש לכם זמן.",
    },
}
_KINDS = {HEBREW: {"class": "שיעור", "exam": "מבחן", "holiday": "חופשה", "blackout": "השבתה"}}
_WEEKDAYS = {
    ENGLISH: ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    HEBREW: ("שני", "שלישי", "רביעי", "חמישי", "שישי", "שבת", "ראשון"),
}
_AGAIN = {ENGLISH: "Ask again on {weekday}, {day} or later.", HEBREW: "אפשר לבקש שוב מיום {weekday}, {day}."}


def language_of(course: Course) -> str:
    """Return the language in which a course's groups read."""
    return course.pages.language if course.pages else ENGLISH


def sentence(reason: Reason, language: str, **values: object) -> str:
    """Return the sentence for a reason; `values` are the numbers in it."""
    return _SENTENCES[language][reason].format(example=_EXAMPLE[language], **values)


def kinds_in_words(kinds: Iterable[str], language: str) -> str:
    """Return the names of kinds of calendar entries."""
    return ", ".join(_KINDS.get(language, {}).get(kind, kind) for kind in sorted(kinds))


def ask_again(day: date, language: str) -> str:
    """Return the sentence about the first day on which a group can ask again."""
    return _AGAIN[language].format(weekday=_WEEKDAYS[language][day.weekday()], day=day.isoformat())

"""The mail about a nightly update of the roster. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from nightly.plan_policy import Decision, change_lines


class Outcome(Enum):
    """The result of a night; the value ends the mail's subject."""

    UNCHANGED = "nothing changed"
    APPLIED = "changes were applied"
    WAITING = "changes wait for you"
    REFUSED = "the import was refused"
    FAILED = "the update failed"

    @property
    def is_success(self) -> bool:
        return self not in (Outcome.REFUSED, Outcome.FAILED)


@dataclass(frozen=True)
class Night:
    """What happened in a night. `report` is the import's output, `decision` is None if there was no plan."""

    outcome: Outcome
    report: tuple[str, ...] = ()
    decision: Decision | None = None
    failure: tuple[str, ...] = ()
    """What failed, and the last lines of the program that failed."""


def subject_of(night: Night, *, course: str, term: str) -> str:
    return f"Roster of {course} {term}: {night.outcome.value}"


def text_of(night: Night, *, roster: str) -> str:
    """Return the mail's text. `roster` is the path of the roster file."""
    return "\n".join(_lines(night, roster)) + "\n"


def _lines(night: Night, roster: str) -> Iterator[str]:
    if night.outcome is Outcome.REFUSED:
        yield f"{roster} and the workspace were not changed. The import was refused:"
        yield ""
        yield from night.report
        yield ""
        yield "If the change is right, import it with the option in the message, and deploy."
        return
    if night.failure:
        yield from night.failure
        yield ""
    if night.decision and night.outcome is not Outcome.UNCHANGED:
        yield from _decision_lines(night.decision, night.outcome)
    elif night.outcome is Outcome.WAITING:
        yield from _advice("The roster changed; the workspace was not changed")
    if night.report:
        yield "The import:"
        yield ""
        yield from night.report


def _decision_lines(decision: Decision, outcome: Outcome) -> Iterator[str]:
    if outcome is Outcome.APPLIED:
        yield f"Applied to the workspace ({len(decision.changes)}):"
    elif outcome is Outcome.WAITING:
        yield from _advice(f"The workspace was not changed: {'; '.join(decision.obstacles)}", separator="")
        yield f"The plan ({len(decision.changes)}):"
    else:
        yield f"The plan, which may be applied in part ({len(decision.changes)}):"
    yield from change_lines(decision.changes)
    yield ""


def _advice(sentence: str, *, separator: str = "") -> Sequence[str]:
    return (f"{sentence}.", "Review and apply it: pipenv run cdktf diff, then pipenv run cdktf deploy.", separator)

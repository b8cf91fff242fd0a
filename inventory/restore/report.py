"""What is said of a restore: while it runs, and at the end, for people and for programs."""

from typing import Any

from inventory.backup.report import asked, named
from inventory.restore.restore_work import Progress
from inventory.restore.run import Outcome
from inventory.results.formatting import size
from inventory.scan.progress import Ticker, limits
from labkit.text import escaped

LEFT = (
    ("skipped", "there already and left so"),
    ("beside", "beside what was changed since the restore began"),
    ("failed", "failed"),
)


class Reporter(Ticker):
    """Called a few times a second with the progress of a restore."""

    def __call__(self, progress: Progress) -> None:
        (speed,) = self.speeds(progress.restored)
        parts = [
            f"{progress.restored} objects restored, {size(progress.size)}",
            f"{progress.waiting} objects and directories waiting",
            f"{speed:.0f} objects/s (limits {limits(progress.rates, progress.requests)})",
        ]
        if progress.skipped:
            parts.append(f"{progress.skipped} left as they are")
        if progress.beside:
            parts.append(f"{progress.beside} beside what was changed")
        if progress.failed:
            parts.append(f"{progress.failed} failures")
        self.say("; ".join(parts))


def document(outcome: Outcome, *, dry_run: bool) -> dict[str, Any]:
    """For programs."""
    return {
        "dry_run": dry_run,
        "users": [{"user": user, **vars(found)} for user, found in sorted(outcome.users.items())],
        "beside": [{"path": path, "reason": reason} for path, reason in outcome.beside],
        "failed": [{"path": path, "reason": reason} for path, reason in outcome.failures],
        "asked": asked(outcome.requests, outcome.refusals),
    }


def text(document: dict[str, Any]) -> str:
    """For people: a line a user, and what could not be restored."""
    doing = "would be restored" if document["dry_run"] else "restored"
    lines = []
    for user in document["users"]:
        counts = [f"{user['restored']} objects {doing}, {size(user['size'])}"]
        counts += [f"{user[state]} {words}" for state, words in LEFT if user[state]]
        lines.append(f"{escaped(user['user'])}: {', '.join(counts)}")
    lines += named("beside", [(each["path"], each["reason"]) for each in document["beside"]])
    lines += named("failed", [(each["path"], each["reason"]) for each in document["failed"]])
    return "\n".join(lines or [f"Nothing {doing}: there are folders and no files."])

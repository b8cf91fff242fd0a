"""Progress and result of a restore, as text and as JSON."""

from typing import Any

from inventory.backup.report import object_lines, request_counts
from inventory.restore.restore_work import RestoreProgress
from inventory.restore.run import RestoreResult
from inventory.results.formatting import format_size
from inventory.scan.progress import ProgressLine, format_rates
from labkit.text import escaped

STATE_LABELS = (
    ("skipped", "skipped because they exist"),
    ("beside", "restored beside objects that changed since the restore started"),
    ("failed", "failed"),
)


class RestoreReporter(ProgressLine):
    """Shows the progress of a restore, a few times a second."""

    def __call__(self, progress: RestoreProgress) -> None:
        (speed,) = self.speeds(progress.restored)
        parts = [
            f"{progress.restored} objects restored, {format_size(progress.size)}",
            f"{progress.waiting} objects and directories pending",
            f"{speed:.0f} objects/s (limits {format_rates(progress.rates, progress.requests)})",
        ]
        if progress.skipped:
            parts.append(f"{progress.skipped} skipped")
        if progress.beside:
            parts.append(f"{progress.beside} beside changed objects")
        if progress.failed:
            parts.append(f"{progress.failed} failures")
        self.show("; ".join(parts))


def restore_document(result: RestoreResult, *, dry_run: bool) -> dict[str, Any]:
    """Return the result as a JSON document."""
    return {
        "dry_run": dry_run,
        "users": [{"user": user, **vars(found)} for user, found in sorted(result.users.items())],
        "beside": [{"path": path, "reason": reason} for path, reason in result.beside],
        "failed": [{"path": path, "reason": reason} for path, reason in result.failures],
        "requests": request_counts(result.requests, result.rate_limited),
    }


def restore_text(document: dict[str, Any]) -> str:
    """Return the result as text: one line per user, and the failures."""
    doing = "would be restored" if document["dry_run"] else "restored"
    lines = []
    for user in document["users"]:
        counts = [f"{user['restored']} objects {doing}, {format_size(user['size'])}"]
        counts += [f"{user[state]} {label}" for state, label in STATE_LABELS if user[state]]
        lines.append(f"{escaped(user['user'])}: {', '.join(counts)}")
    lines += object_lines("beside", [(each["path"], each["reason"]) for each in document["beside"]])
    lines += object_lines("failed", [(each["path"], each["reason"]) for each in document["failed"]])
    return "\n".join(lines or [f"Nothing {doing}: there are only folders."])

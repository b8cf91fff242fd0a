"""Progress and result of a backup, as text and as JSON."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from inventory.backup.backup_work import BackupProgress
from inventory.backup.manifest import ManifestEntry
from inventory.backup.preview import BackupPreview
from inventory.backup.run import BackupResult
from inventory.results.formatting import format_duration, format_size
from inventory.scan.progress import ProgressLine, format_rates
from labkit.text import escaped

STATES = ("saved", "earlier", "left out", "failed")
MAX_SHOWN = 20
"""Maximum number of objects listed in text output; the manifest and --json list all."""


class BackupReporter(ProgressLine):
    """Shows the progress of a backup, a few times a second."""

    def __call__(self, progress: BackupProgress) -> None:
        tally = progress.counts
        (speed,) = self.speeds(tally.saved)
        parts = [
            f"{tally.saved} objects saved, {format_size(tally.size)}",
            f"{tally.folders} directories done, {progress.waiting} objects and directories pending",
            f"{speed:.0f} objects/s (limits {format_rates(progress.rates, progress.requests)})",
        ]
        if tally.unchanged:
            parts.insert(1, f"{tally.unchanged} unchanged")
        if tally.failed:
            parts.append(f"{tally.failed} failures")
        if speed and progress.waiting:
            # A lower bound: more may be found.
            parts.append(f"at least {format_duration(progress.waiting / speed)} left")
        self.show("; ".join(parts))


def backup_document(result: BackupResult) -> dict[str, Any]:
    """Return the result as a JSON document."""
    users: defaultdict[str, Counter[str]] = defaultdict(Counter)
    listed: dict[str, list[dict[str, Any]]] = {"left out": [], "failed": []}
    for entry in result.index.all_entries():
        if entry.is_folder and entry.state == "saved":
            users[entry.user]["folders"] += 1
            continue
        users[entry.user][entry.state] += 1
        users[entry.user]["size"] += (entry.size or 0) if entry.has_content else 0
        if entry.state in listed:
            listed[entry.state].append(_object_fields(entry))
    return {
        "backup": result.backup.address,
        "manifest": f"{result.backup.target.address}/{result.backup.manifest_path}",
        "users": [
            {"user": user, **{name.replace(" ", "_"): counts[name] for name in (*STATES, "folders", "size")}}
            for user, counts in sorted(users.items())
        ],
        "left_out": listed["left out"],
        "failed": listed["failed"],
        "requests": request_counts(result.requests, result.rate_limited),
    }


def _object_fields(entry: ManifestEntry) -> dict[str, Any]:
    return {"user": entry.user, "path": display_path(entry), "type": entry.type, "reason": entry.reason}


def display_path(entry: ManifestEntry) -> str:
    """Return the path, with the prefix `dbfs:` in DBFS."""
    return f"{'dbfs:' if entry.source == 'dbfs' else ''}{entry.path}"


def request_counts(requests: Mapping[str, int], rate_limited: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return the numbers of requests and of rate-limited responses per API, as a JSON document."""
    return {api: {"sent": number, "rate_limited": rate_limited.get(api, 0)} for api, number in sorted(requests.items())}


def backup_text(document: dict[str, Any]) -> str:
    """Return the result as text."""
    total: Counter[str] = Counter()
    for user in document["users"]:
        total.update({name: number for name, number in user.items() if name != "user"})
    counts = [f"{total['saved']} objects saved"]
    if total["earlier"]:
        counts.append(f"{total['earlier']} unchanged since the earlier backup")
    counts += [
        f"{total[name]} {label}" for name, label in (("left_out", "left out"), ("failed", "failed")) if total[name]
    ]
    lines = [
        f"{len(document['users'])} users: {', '.join(counts)};"
        f" {format_size(total['size'])} in {total['folders']} folders"
    ]
    for name, label in (("left_out", "left out"), ("failed", "failed")):
        lines += object_lines(label, [(each["path"], each["reason"]) for each in document[name]])
    requests = sum(api["sent"] for api in document["requests"].values())
    rate_limited = sum(api["rate_limited"] for api in document["requests"].values())
    lines.append(
        f"Written to {document['backup']}; {requests} requests, {rate_limited} of them refused by the rate limit."
    )
    return "\n".join(lines)


def object_lines(label: str, objects: list[tuple[str, str]]) -> list[str]:
    """Return one line for each of the first MAX_SHOWN objects, and a line with the number of others."""
    lines = [f"  {label}: {escaped(path)}: {escaped(reason)}" for path, reason in objects[:MAX_SHOWN]]
    if len(objects) > MAX_SHOWN:
        lines.append(f"  {label}: {len(objects) - MAX_SHOWN} more; see the manifest or --json")
    return lines


def preview_document(preview: BackupPreview) -> dict[str, Any]:
    return {
        "users": [
            {"user": user, "objects": number, "size": preview.sizes[user]}
            for user, number in sorted(preview.objects.items())
        ],
        "left_out": [{"path": path, "reason": reason} for path, reason in preview.left_out],
        "failed": [{"path": path, "reason": reason} for path, reason in preview.failures],
    }


def preview_text(preview: BackupPreview) -> str:
    lines = [
        f"{len(preview.objects)} users: {preview.objects.total()} objects would be saved,"
        f" {format_size(preview.sizes.total())} plus notebooks of unknown size; nothing was saved"
    ]
    lines += object_lines("left out", preview.left_out)
    lines += object_lines("failed", preview.failures)
    return "\n".join(lines)

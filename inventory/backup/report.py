"""What is said of a backup: while it runs, and at the end, for people and for programs."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from inventory.backup.backup_work import Progress
from inventory.backup.manifest import Entry
from inventory.backup.preview import Preview
from inventory.backup.run import Outcome
from inventory.results.formatting import duration, size
from inventory.scan.progress import Ticker, limits
from labkit.text import escaped

STATES = ("saved", "earlier", "left out", "failed")
SHOWN = 20
"""So many objects are named on a terminal; the manifest and --json name all."""


class Reporter(Ticker):
    """Called a few times a second with the progress of a backup."""

    def __call__(self, progress: Progress) -> None:
        tally = progress.tally
        (speed,) = self.speeds(tally.saved)
        parts = [
            f"{tally.saved} objects saved, {size(tally.size)}",
            f"{tally.folders} directories done, {progress.waiting} objects and directories waiting",
            f"{speed:.0f} objects/s (limits {limits(progress.rates, progress.requests)})",
        ]
        if tally.earlier:
            parts.insert(1, f"{tally.earlier} unchanged")
        if tally.failed:
            parts.append(f"{tally.failed} failures")
        if speed and progress.waiting:
            # More turns up meanwhile, so this is what it takes at least.
            parts.append(f"at least {duration(progress.waiting / speed)} left")
        self.say("; ".join(parts))


def document(outcome: Outcome) -> dict[str, Any]:
    """For programs."""
    users: defaultdict[str, Counter[str]] = defaultdict(Counter)
    named: dict[str, list[dict[str, Any]]] = {"left out": [], "failed": []}
    for entry in outcome.entries.all():
        if entry.is_folder and entry.state == "saved":
            users[entry.user]["folders"] += 1
            continue
        users[entry.user][entry.state] += 1
        users[entry.user]["size"] += (entry.size or 0) if entry.lies_there else 0
        if entry.state in named:
            named[entry.state].append(_named(entry))
    return {
        "backup": outcome.backup.address,
        "manifest": f"{outcome.backup.target.address}/{outcome.backup.manifest}",
        "users": [
            {"user": user, **{name.replace(" ", "_"): counts[name] for name in (*STATES, "folders", "size")}}
            for user, counts in sorted(users.items())
        ],
        "left_out": named["left out"],
        "failed": named["failed"],
        "asked": asked(outcome.requests, outcome.refusals),
    }


def _named(entry: Entry) -> dict[str, Any]:
    return {"user": entry.user, "path": shown_path(entry), "type": entry.type, "reason": entry.reason}


def shown_path(entry: Entry) -> str:
    """`dbfs:/Users/…` for what lies in DBFS."""
    return f"{'dbfs:' if entry.source == 'dbfs' else ''}{entry.path}"


def asked(requests: Mapping[str, int], refusals: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """For programs: the requests of each API, and how many of them were refused because of the rate."""
    return {api: {"requests": number, "refused": refusals.get(api, 0)} for api, number in sorted(requests.items())}


def text(document: dict[str, Any]) -> str:
    """For people."""
    total: Counter[str] = Counter()
    for user in document["users"]:
        total.update({name: number for name, number in user.items() if name != "user"})
    counts = [f"{total['saved']} objects saved"]
    if total["earlier"]:
        counts.append(f"{total['earlier']} unchanged since the earlier backup")
    counts += [
        f"{total[name]} {words}" for name, words in (("left_out", "left out"), ("failed", "failed")) if total[name]
    ]
    lines = [
        f"{len(document['users'])} users: {', '.join(counts)}; {size(total['size'])} in {total['folders']} folders"
    ]
    for name, words in (("left_out", "left out"), ("failed", "failed")):
        lines += named(words, [(each["path"], each["reason"]) for each in document[name]])
    requests = sum(api["requests"] for api in document["asked"].values())
    refused = sum(api["refused"] for api in document["asked"].values())
    lines.append(f"Written to {document['backup']}; {requests} requests, {refused} of them refused by the rate limit.")
    return "\n".join(lines)


def named(words: str, objects: list[tuple[str, str]]) -> list[str]:
    """Lines that name objects, as many as one reads, and say how many more there are."""
    lines = [f"  {words}: {escaped(path)}: {escaped(reason)}" for path, reason in objects[:SHOWN]]
    if len(objects) > SHOWN:
        lines.append(f"  {words}: {len(objects) - SHOWN} more; the manifest and --json name them")
    return lines


def preview_document(found: Preview) -> dict[str, Any]:
    return {
        "users": [
            {"user": user, "objects": number, "size": found.sizes[user]}
            for user, number in sorted(found.objects.items())
        ],
        "left_out": [{"path": path, "reason": reason} for path, reason in found.left_out],
        "failed": [{"path": path, "reason": reason} for path, reason in found.failures],
    }


def preview_text(found: Preview) -> str:
    lines = [
        f"{len(found.objects)} users: {found.objects.total()} objects would be saved, {size(found.sizes.total())} and"
        " what the notebooks have; nothing was saved"
    ]
    lines += named("left out", found.left_out)
    lines += named("failed", found.failures)
    return "\n".join(lines)

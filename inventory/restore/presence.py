"""What lies by now where an object is to be put back: nothing, what the restore itself sent, or something else.

Only the first two are ever replaced. What a person has put there since the restore began stays, and what was saved goes
beside it.
"""

from dataclasses import dataclass, field, replace
from typing import Protocol

from inventory.backup.download import Api as Downloads
from inventory.backup.download import Fetch, Measure, download
from inventory.backup.manifest import Entry
from inventory.backup.manifest_index import parent
from inventory.scan.folder_request import list_folder
from inventory.transport.answer import Answer, Broken
from inventory.transport.retry import is_missing
from inventory.tree.listing import File, Folder, Listing, NotAListing, read

DASHBOARD = ".lvdash.json"
Mark = tuple[int | None, int | None]
"""When an object was changed, in milliseconds since 1970, and its bytes: by these a change is seen."""


class Arrival(Protocol):
    """As much of an object on its way as a look at its place needs."""

    folder: Folder
    entry: Entry
    path: str
    overwrite: bool
    before: Mark | None
    doubt: "Doubt | None"

    def is_there(self) -> None: ...

    def step_aside(self) -> None: ...


@dataclass
class Doubt:
    """It is not known what lies at a place: first the folder is listed, then what is there is read."""

    fetch: Fetch | None = None
    """What is read; None: the folder is not listed yet."""
    measure: Measure = field(default_factory=Measure)


def mark_of(file: File) -> Mark:
    """By what a later look sees whether the object was changed."""
    return file.modified_at, file.size


def look(client: Downloads, arrival: Arrival) -> Answer:
    """Send the next request by which the doubt about a place is settled. Raises Broken."""
    doubt = arrival.doubt
    assert doubt is not None, "who does not doubt does not look"
    if doubt.fetch is not None:
        return _compare(client, arrival, doubt, doubt.fetch)
    folder = replace(arrival.folder, path=parent(arrival.path))
    answer = list_folder(client, folder)
    if is_missing(answer):
        _decide(arrival, doubt, Listing())
        return Answer(200, {})
    if answer.ok:
        try:
            _decide(arrival, doubt, read(folder, answer.document))
        except NotAListing as error:
            raise Broken(str(error)) from None
    return answer


def _decide(arrival: Arrival, doubt: Doubt, found: Listing) -> None:
    there = next((file for file in found.files if file.path == arrival.path), None)
    entry = arrival.entry
    if arrival.path in found.folders or any(failure.path == arrival.path for failure in found.failures):
        arrival.step_aside()
    elif there is None:
        arrival.overwrite, arrival.doubt = False, None
    elif arrival.overwrite and arrival.before == mark_of(there) and there.modified_at is not None:
        # As it was before the restore began: it is still to be replaced.
        arrival.doubt = None
    elif there.type != entry.type or there.size not in (None, entry.size):
        arrival.step_aside()
    else:
        doubt.fetch = Fetch(arrival.folder, there, "", entry.format)


def _compare(client: Downloads, arrival: Arrival, doubt: Doubt, fetch: Fetch) -> Answer:
    answer = download(client, fetch, doubt.measure)
    if not answer.ok:
        if fetch.has_another_way(answer):
            fetch.is_refused = True
        elif is_missing(answer):
            arrival.doubt = Doubt()
        else:
            return answer
        return Answer(200, {})
    if fetch.complete:
        entry, measure = arrival.entry, doubt.measure
        if (measure.size, measure.sha256) == (entry.size, entry.sha256):
            arrival.is_there()
        else:
            arrival.step_aside()
    return answer


def beside(path: str, day: str, turn: int) -> str:
    """The path of what was saved where its own is taken: `NAME (restored DATE)`, with a number from the second on.

    A dashboard is known by the ending of its name, which stays at the end.
    """
    length = len(path) - (len(DASHBOARD) if path.lower().endswith(DASHBOARD) else 0)
    number = f" {turn}" if turn > 1 else ""
    return f"{path[:length]} (restored {day}{number}){path[length:]}"

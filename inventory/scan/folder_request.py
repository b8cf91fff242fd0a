"""The request that lists a folder, and what its answer means."""

from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import quote

from inventory.transport.answer import Answer, Broken
from inventory.transport.retry import Again, Locked, Refused, classify
from inventory.tree.listing import Failure, Folder, Listing, NotAListing, Source, read

ADDRESSES: dict[Source, str] = {
    "dbfs": "/api/2.0/dbfs/list",
    "workspace": "/api/2.0/workspace/list",
    "volumes": "/api/2.0/fs/directories",
}


class Lister(Protocol):
    """As much of a client as a listing needs; see `client.Client`."""

    def get(self, path: str, query: Mapping[str, str]) -> Answer:
        """One request. Raises Broken."""
        ...


def list_folder(client: Lister, folder: Folder) -> Answer:
    """Ask for what lies directly in a folder; that of a volume comes in pages, put together here. Raises Broken."""
    if folder.source != "volumes":
        return client.get(ADDRESSES[folder.source], {"path": folder.path})
    contents: list[object] = []
    page, pages = "", set[str]()
    while True:
        answer = client.get(ADDRESSES["volumes"] + quote(folder.path), {"page_token": page} if page else {})
        listed = answer.document.get("contents", []) if isinstance(answer.document, Mapping) else None
        if not answer.ok or not isinstance(listed, list):
            return answer
        assert isinstance(answer.document, Mapping)
        contents += listed
        page = str(answer.document.get("next_page_token") or "")
        if not page:
            return Answer(200, {"contents": contents})
        if page in pages:
            raise Broken(f"the list of {folder.path} gives the same page again")
        pages.add(page)


def classify_listing(
    folder: Folder, outcome: Answer | Broken, tries: int, chance: Callable[[], float]
) -> Listing | Failure | Again | Locked:
    """What the outcome of the `tries`th request for a folder means."""
    meaning = classify(outcome, tries, chance)
    if isinstance(meaning, Refused):
        return Failure(folder.path, meaning.reason, missing=meaning.missing)
    if not isinstance(meaning, Answer):
        return meaning
    try:
        return read(folder, meaning.document)
    except NotAListing as error:
        return Failure(folder.path, str(error))

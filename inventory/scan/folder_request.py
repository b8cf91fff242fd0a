"""Lists a folder through the API and classifies the response."""

from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import quote

from inventory.transport.response import Response, TransportError
from inventory.transport.retry import PermanentFailure, Retry, Unauthorized, classify
from inventory.tree.listing import Failure, Folder, InvalidListing, Listing, Source, parse_listing

LIST_PATHS: dict[Source, str] = {
    "dbfs": "/api/2.0/dbfs/list",
    "workspace": "/api/2.0/workspace/list",
    "volumes": "/api/2.0/fs/directories",
}


class ListingClient(Protocol):
    """The part of a client that a listing needs; see `client.Client`."""

    def get(self, path: str, query: Mapping[str, str]) -> Response:
        """Send a GET request. Raises TransportError."""
        ...


def list_folder(client: ListingClient, folder: Folder) -> Response:
    """Request the content of a folder; the pages for a folder in a volume are joined. Raises TransportError."""
    if folder.source != "volumes":
        return client.get(LIST_PATHS[folder.source], {"path": folder.path})
    contents: list[object] = []
    page, pages = "", set[str]()
    while True:
        response = client.get(LIST_PATHS["volumes"] + quote(folder.path), {"page_token": page} if page else {})
        listed = response.document.get("contents", []) if isinstance(response.document, Mapping) else None
        if not response.ok or not isinstance(listed, list):
            return response
        assert isinstance(response.document, Mapping)
        contents += listed
        page = str(response.document.get("next_page_token") or "")
        if not page:
            return Response(200, {"contents": contents})
        if page in pages:
            raise TransportError(f"the list of {folder.path} repeats a page")
        pages.add(page)


def classify_listing(
    folder: Folder, outcome: Response | TransportError, tries: int, jitter: Callable[[], float]
) -> Listing | Failure | Retry | Unauthorized:
    """Classify the outcome of the `tries`th request for a folder."""
    classified = classify(outcome, tries, jitter)
    if isinstance(classified, PermanentFailure):
        return Failure(folder.path, classified.reason, missing=classified.missing)
    if not isinstance(classified, Response):
        return classified
    try:
        return parse_listing(folder, classified.document)
    except InvalidListing as error:
        return Failure(folder.path, str(error))

"""What lies by now where an object is to be put back: nothing, what the restore itself sent, or something else.

Only the first two are ever replaced. What a person has put there since the restore began stays, and what was saved goes
beside it.
"""

from dataclasses import dataclass, field, replace
from typing import Protocol

from inventory.backup.download import ContentDigest, ObjectDownload, download_object
from inventory.backup.download import DownloadClient as Downloads
from inventory.backup.manifest import ManifestEntry
from inventory.backup.manifest_index import parent_path
from inventory.scan.folder_request import list_folder
from inventory.transport.response import Response, TransportError
from inventory.transport.retry import is_not_found
from inventory.tree.listing import File, Folder, InvalidListing, Listing, parse_listing

DASHBOARD = ".lvdash.json"
ObjectVersion = tuple[int | None, int | None]
"""When an object was changed, in milliseconds since 1970, and its bytes: by these a change is seen."""


class CheckedUpload(Protocol):
    """As much of an object on its way as a look at its place needs."""

    folder: Folder
    entry: ManifestEntry
    path: str
    overwrite: bool
    replaced_version: ObjectVersion | None
    check: "ExistingCheck | None"

    def confirm_present(self) -> None: ...

    def use_alternative_path(self) -> None: ...


@dataclass
class ExistingCheck:
    """It is not known what lies at a place: first the folder is listed, then what is there is read."""

    download: ObjectDownload | None = None
    """What is read; None: the folder is not listed yet."""
    digest: ContentDigest = field(default_factory=ContentDigest)


def version_of(file: File) -> ObjectVersion:
    """By what a later look sees whether the object was changed."""
    return file.modified_at, file.size


def check_existing(client: Downloads, upload: CheckedUpload) -> Response:
    """Send the next request by which the doubt about a place is settled. Raises TransportError."""
    check = upload.check
    assert check is not None, "who does not doubt does not look"
    if check.download is not None:
        return _compare_content(client, upload, check, check.download)
    folder = replace(upload.folder, path=parent_path(upload.path))
    answer = list_folder(client, folder)
    if is_not_found(answer):
        _compare_listing(upload, check, Listing())
        return Response(200, {})
    if answer.ok:
        try:
            _compare_listing(upload, check, parse_listing(folder, answer.document))
        except InvalidListing as error:
            raise TransportError(str(error)) from None
    return answer


def _compare_listing(upload: CheckedUpload, check: ExistingCheck, listing: Listing) -> None:
    existing = next((file for file in listing.files if file.path == upload.path), None)
    entry = upload.entry
    if upload.path in listing.folders or any(failure.path == upload.path for failure in listing.failures):
        upload.use_alternative_path()
    elif existing is None:
        upload.overwrite, upload.check = False, None
    elif upload.overwrite and upload.replaced_version == version_of(existing) and existing.modified_at is not None:
        # As it was before the restore began: it is still to be replaced.
        upload.check = None
    elif existing.type != entry.type or existing.size not in (None, entry.size):
        upload.use_alternative_path()
    else:
        check.download = ObjectDownload(upload.folder, existing, "", entry.format)


def _compare_content(client: Downloads, upload: CheckedUpload, check: ExistingCheck, task: ObjectDownload) -> Response:
    answer = download_object(client, task, check.digest)
    if not answer.ok:
        if task.has_another_way(answer):
            task.first_way_refused = True
        elif is_not_found(answer):
            upload.check = ExistingCheck()
        else:
            return answer
        return Response(200, {})
    if task.complete:
        entry, measure = upload.entry, check.digest
        if (measure.size, measure.sha256) == (entry.size, entry.sha256):
            upload.confirm_present()
        else:
            upload.use_alternative_path()
    return answer


def alternative_path(path: str, day: str, number: int) -> str:
    """The path of what was saved where its own is taken: `NAME (restored DATE)`, with a number from the second on.

    A dashboard is known by the ending of its name, which stays at the end.
    """
    length = len(path) - (len(DASHBOARD) if path.lower().endswith(DASHBOARD) else 0)
    suffix = f" {number}" if number > 1 else ""
    return f"{path[:length]} (restored {day}{suffix}){path[length:]}"

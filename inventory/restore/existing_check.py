"""Checks what exists at the path of a restored object: nothing, the restore's own upload, or something else.

Only the restore's own upload is replaced. Anything else that appeared since the restore started is kept, and the saved
object is restored beside it.
"""

from dataclasses import dataclass, field, replace
from typing import Protocol

from inventory.backup.download import ContentDigest, DownloadClient, ObjectDownload, download_object
from inventory.backup.manifest import ManifestEntry
from inventory.backup.manifest_index import parent_path
from inventory.scan.folder_request import list_folder
from inventory.transport.response import Response, TransportError
from inventory.transport.retry import is_not_found
from inventory.tree.listing import File, Folder, InvalidListing, Listing, parse_listing

DASHBOARD = ".lvdash.json"
ObjectVersion = tuple[int | None, int | None]
"""Modification time in milliseconds since 1970, and size in bytes: if either changes, the object has changed."""


class CheckedUpload(Protocol):
    """The part of an upload that its ExistingCheck needs."""

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
    """The check of an upload's path: the parent folder is listed, then the existing object is read."""

    download: ObjectDownload | None = None
    """Pending read of the existing object; None before the parent folder is listed."""
    digest: ContentDigest = field(default_factory=ContentDigest)


def version_of(file: File) -> ObjectVersion:
    """Return the version of a file, so that a later check can detect a change."""
    return file.modified_at, file.size


def check_existing(client: DownloadClient, upload: CheckedUpload) -> Response:
    """Send the next request of the check. Raises TransportError."""
    check = upload.check
    assert check is not None, "there is nothing to check"
    if check.download is not None:
        return _compare_content(client, upload, check, check.download)
    folder = replace(upload.folder, path=parent_path(upload.path))
    response = list_folder(client, folder)
    if is_not_found(response):
        _compare_listing(upload, check, Listing())
        return Response(200, {})
    if response.ok:
        try:
            _compare_listing(upload, check, parse_listing(folder, response.document))
        except InvalidListing as error:
            raise TransportError(str(error)) from None
    return response


def _compare_listing(upload: CheckedUpload, check: ExistingCheck, listing: Listing) -> None:
    existing = next((file for file in listing.files if file.path == upload.path), None)
    entry = upload.entry
    if upload.path in listing.folders or any(failure.path == upload.path for failure in listing.failures):
        upload.use_alternative_path()
    elif existing is None:
        upload.overwrite, upload.check = False, None
    elif upload.overwrite and upload.replaced_version == version_of(existing) and existing.modified_at is not None:
        # The object is unchanged since before the restore, so it is still to be replaced.
        upload.check = None
    elif existing.type != entry.type or existing.size not in (None, entry.size):
        upload.use_alternative_path()
    else:
        check.download = ObjectDownload(upload.folder, existing, "", entry.format)


def _compare_content(
    client: DownloadClient, upload: CheckedUpload, check: ExistingCheck, task: ObjectDownload
) -> Response:
    response = download_object(client, task, check.digest)
    if not response.ok:
        if task.has_other_api(response):
            task.first_api_refused = True
        elif is_not_found(response):
            upload.check = ExistingCheck()
        else:
            return response
        return Response(200, {})
    if task.complete:
        entry, digest = upload.entry, check.digest
        if (digest.size, digest.sha256) == (entry.size, entry.sha256):
            upload.confirm_present()
        else:
            upload.use_alternative_path()
    return response


def alternative_path(path: str, day: str, number: int) -> str:
    """Return the path for an object whose own path is taken: `NAME (restored DATE)`, with `number` if it is above 1.

    A dashboard's suffix stays at the end, since dashboards are recognised by it.
    """
    length = len(path) - (len(DASHBOARD) if path.lower().endswith(DASHBOARD) else 0)
    suffix = f" {number}" if number > 1 else ""
    return f"{path[:length]} (restored {day}{suffix}){path[length:]}"

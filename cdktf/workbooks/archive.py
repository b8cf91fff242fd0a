"""The files in a workbook's zip archive, unpacked only within limits, so that a hostile archive fills no memory."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass

MAX_BYTES = 64 * 1024 * 1024
"""Maximum size of a workbook's unpacked files together. A course of 3000 students needs less than 10 MB."""
MAX_FILES = 2000
_CHUNK = 1 << 20
_ENCRYPTED = 0x1
_DAMAGED = "the workbook is damaged or incomplete: download or save it again"


class WorkbookError(ValueError):
    """The workbook cannot be used; the message is a sentence without a full stop."""


@dataclass(frozen=True)
class Archive:
    """The content of each file in a workbook, by its name in the archive."""

    files: dict[str, bytes]

    @property
    def is_xlsx(self) -> bool:
        """Return whether the archive has an XLSX workbook, judged by its files."""
        return "[Content_Types].xml" in self.files and "xl/workbook.xml" in self.files

    @property
    def is_ods(self) -> bool:
        """Return whether the archive has an ODS spreadsheet, judged by its files."""
        kind = self.files.get("mimetype", b"").strip()
        return kind.startswith(b"application/vnd.oasis.opendocument.spreadsheet") and "content.xml" in self.files


def is_archive(data: bytes) -> bool:
    """Return whether the bytes begin like a zip archive."""
    return data.startswith(b"PK\x03\x04")


def unpack(data: bytes) -> Archive:
    """Return the files of an archive. Raise WorkbookError if it is damaged, encrypted or too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return Archive(_files(archive))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, OverflowError) as error:
        if isinstance(error, WorkbookError):
            raise
        raise WorkbookError(_DAMAGED) from error
    except (NotImplementedError, RuntimeError) as error:
        raise WorkbookError("the workbook is compressed in an unusual way: save it again as .xlsx or .ods") from error


def _files(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = archive.infolist()
    # Two programs could read two different files with one name.
    if len({entry.filename.lower() for entry in entries}) != len(entries):
        raise WorkbookError(_DAMAGED)
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise WorkbookError("the workbook is protected by a password: save it without one")
    if len(entries) > MAX_FILES or sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise _too_large()
    files: dict[str, bytes] = {}
    remaining = MAX_BYTES
    for entry in entries:
        # The stated size may be wrong, so the unpacked bytes are counted.
        with archive.open(entry) as stream:
            content = bytearray()
            while chunk := stream.read(_CHUNK):
                content += chunk
                if len(content) > remaining:
                    raise _too_large()
        remaining -= len(content)
        files[entry.filename] = bytes(content)
    return files


def _too_large() -> WorkbookError:
    size = f"more than {MAX_BYTES // 1024 // 1024} MB or {MAX_FILES} files when unpacked"
    return WorkbookError(f"the workbook has {size}: save only the sheet with the groups")

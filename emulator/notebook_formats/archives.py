"""Notebook archives (DBC), zip files of folders, and HTML that contains a notebook. Pure."""

import base64
import html
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote, unquote

from emulator.notebook_formats import notebooks
from emulator.notebook_formats.notebooks import LANGUAGES, NotNotebookError

_MODEL = re.compile(r"__DATABRICKS_NOTEBOOK_MODEL\s*=\s*'([^']*)'")
_EPOCH = (1980, 1, 1, 0, 0, 0)

ArchiveEntry = tuple[tuple[str, ...], list[str] | None, str]
"""Path in the archive, cells (None for a folder), language (empty for a folder)."""


def write_zip(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a zip file. Equal files give equal bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return target.getvalue()


def write_dbc(entries: Iterable[ArchiveEntry]) -> bytes:
    """Return a DBC archive with notebooks and folders."""
    files = [("manifest.mf", json.dumps({"version": "Manifest", "origId": -1, "name": "manifest.mf"}).encode())]
    for names, cells, language in entries:
        if cells is None:
            folder = {"version": "FolderV1", "origId": 0, "name": names[-1], "guid": None, "children": []}
            files.append(("/".join(names) + "/", json.dumps(folder).encode()))
        else:
            model = notebooks.model_of_cells(cells, language, names[-1])
            # In archives the extension of a notebook is the full name of its language, such as `.python`.
            files.append((f"{'/'.join(names)}.{LANGUAGES[language].jupyter}", json.dumps(model).encode()))
    return write_zip(files)


def read_dbc(content: bytes) -> list[ArchiveEntry]:
    """Return the entries in a DBC archive, folders before their contents. Raises NotNotebookError."""
    found: dict[tuple[str, ...], ArchiveEntry] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist():
                names = tuple(name for name in info.filename.split("/") if name)
                if names == ("manifest.mf",):
                    continue
                if not names or any(name in (".", "..") for name in names):
                    raise NotNotebookError(f"The archive contains an entry named {info.filename!r}")
                if info.is_dir():
                    found[names] = (names, None, "")
                else:
                    cells, language = notebooks.cells_of_model(json.loads(archive.read(info)))
                    names = (*names[:-1], names[-1].rpartition(".")[0] or names[-1])
                    found[names] = (names, cells, language)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        if isinstance(error, NotNotebookError):
            raise
        raise NotNotebookError(f"The content is not a DBC archive: {error}") from None
    for names in list(found):
        for depth in range(1, len(names)):
            found.setdefault(names[:depth], (names[:depth], None, ""))
    if not found:
        raise NotNotebookError("The zip archive contains no items")
    return [found[names] for names in sorted(found)]


def write_html(cells: Sequence[str], language: str, name: str) -> bytes:
    """Return a page that shows the cells and contains the notebook."""
    model = json.dumps(notebooks.model_of_cells(cells, language, name))
    packed = base64.b64encode(quote(model).encode()).decode()
    shown = "\n".join(f"<pre>{html.escape(cell)}</pre>" for cell in cells)
    page = (
        f'<!DOCTYPE html>\n<html>\n<head><meta charset="utf-8"><title>{html.escape(name)} - Databricks</title>\n'
        f"<script>var __DATABRICKS_NOTEBOOK_MODEL = '{packed}';</script></head>\n<body>\n{shown}\n</body>\n</html>\n"
    )
    return page.encode()


def read_html(content: bytes) -> tuple[list[str], str]:
    """Return cells and language of the notebook in an HTML page. Raises NotNotebookError."""
    match = _MODEL.search(content.decode("utf-8", errors="replace"))
    if not match:
        raise NotNotebookError("The HTML holds no notebook")
    try:
        packed = base64.b64decode(match[1], validate=True).decode()
        model: Any = json.loads(unquote(packed))
    except ValueError as error:
        raise NotNotebookError(f"The notebook in the HTML cannot be read: {error}") from None
    return notebooks.cells_of_model(model)

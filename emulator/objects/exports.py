"""Exports workspace objects in all formats."""

from collections.abc import Iterator

from emulator.api.errors import invalid
from emulator.base.content import BytesContent, Content
from emulator.models.files.objects import Node, Objects
from emulator.notebook_formats import archives, notebooks
from emulator.notebook_formats.notebooks import LANGUAGES

FORMATS = ("SOURCE", "HTML", "JUPYTER", "DBC", "R_MARKDOWN", "AUTO", "RAW")


def export_object(objects: Objects, node: Node, format: str) -> tuple[Content, str]:
    """Return the content and its `file_type`, an extension without the dot. Raises 400 for an unsupported format."""
    if format not in FORMATS:
        raise invalid(f"Unknown format: {format}")
    if node.is_container:
        data, file_type = _folder(objects, node, format)
        return BytesContent(data), file_type
    if node.kind == "NOTEBOOK":
        data, file_type = _notebook(node, format)
        return BytesContent(data), file_type
    if node.kind in ("LIBRARY", "MLFLOW_EXPERIMENT"):
        raise invalid(f"An object of type {node.kind} cannot be exported: {objects.path(node)}")
    if format not in ("SOURCE", "AUTO", "RAW"):
        raise invalid(f"Format {format} is for notebooks: {objects.path(node)} is a {node.kind.lower()}")
    return node.content, node.name.rpartition(".")[2] if "." in node.name else ""


def cells(node: Node) -> list[str]:
    """Return the cells of a notebook that is stored in any format."""
    if node.stored_as == "JUPYTER":
        return notebooks.cells_of_jupyter(node.content.read())[0]
    return notebooks.cells_of_source(node.content.read().decode("utf-8", errors="replace"), node.language or "PYTHON")


def _notebook(node: Node, format: str) -> tuple[bytes, str]:
    language = node.language or "PYTHON"
    extension = LANGUAGES[language].extension[1:]
    if format in ("AUTO", "RAW"):
        format = node.stored_as
    match format:
        case "JUPYTER":
            if node.stored_as == "JUPYTER":
                return notebooks.with_language_name(node.content.read(), language), "ipynb"
            return notebooks.jupyter_of_cells(cells(node), language, node.name), "ipynb"
        case "HTML":
            return archives.write_html(cells(node), language, node.name), "html"
        case "DBC":
            return archives.write_dbc([((node.name,), cells(node), language)]), "dbc"
        case "R_MARKDOWN":
            return notebooks.rmd_of_cells(cells(node), language).encode(), "Rmd"
    return _source(node, language), extension


def _source(node: Node, language: str) -> bytes:
    """Return source, which begins with the line that marks a notebook even if it was imported without this line."""
    if node.stored_as == "JUPYTER":
        return notebooks.source_of_cells(cells(node), language).encode()
    first = notebooks.header(language).encode()
    content = node.content.read()
    return content if content.startswith(first) else first + b"\n" + content


def _folder(objects: Objects, node: Node, format: str) -> tuple[bytes, str]:
    if format == "DBC":
        return archives.write_dbc(_archived(objects, node, (node.name or "Workspace",))), "dbc"
    return archives.write_zip(_zipped(objects, node, "", "SOURCE" if format == "AUTO" else format, format)), "zip"


def _archived(objects: Objects, node: Node, names: tuple[str, ...]) -> Iterator[archives.ArchiveEntry]:
    """Yield the entries of an archive, which has only notebooks and folders."""
    yield names, None, ""
    for child in objects.children(node):
        if child.is_container:
            yield from _archived(objects, child, (*names, child.name))
        elif child.kind == "NOTEBOOK":
            yield (*names, child.name), cells(child), child.language or "PYTHON"


def _zipped(objects: Objects, node: Node, folder: str, format: str, asked: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files for a zip file; plain files are included only in the format AUTO."""
    for child in objects.children(node):
        if child.is_container:
            yield from _zipped(objects, child, f"{folder}{child.name}/", format, asked)
        elif child.kind == "NOTEBOOK":
            content, extension = _notebook(child, format)
            yield f"{folder}{child.name}.{extension}", content
        elif asked == "AUTO" and child.kind in ("FILE", "DASHBOARD"):
            yield f"{folder}{child.name}", child.content.read()

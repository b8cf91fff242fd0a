"""The formats of a notebook: source with its markers, Jupyter, and the model that archives and HTML carry. Pure.

A notebook is its cells. A cell is its text as the editor shows it: a Markdown or other-language cell begins with its
magic, such as `%md` or `%sql`.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Language:
    comment: str
    extension: str
    jupyter: str
    """How `language_info` and the archive's model call it."""


LANGUAGES = {
    "PYTHON": Language("#", ".py", "python"),
    "SQL": Language("--", ".sql", "sql"),
    "SCALA": Language("//", ".scala", "scala"),
    "R": Language("#", ".r", "r"),
}
_DATABRICKS = "application/vnd.databricks.v1+notebook"


class NotNotebookError(ValueError):
    """The content is not a notebook of the format it was said to be; the text says why."""


def header(language: str) -> str:
    """The first line by which a source file is known as a notebook."""
    return f"{LANGUAGES[language].comment} Databricks notebook source"


def language_of(name: str, content: bytes) -> str | None:
    """The language of a source file that is a notebook by its extension and first line; None for a plain file."""
    for language, known in LANGUAGES.items():
        first = content.split(b"\n", 1)[0].strip().decode("utf-8", errors="replace")
        if name.lower().endswith(known.extension) and first == header(language):
            return language
    return None


def cells_of_source(source: str, language: str) -> list[str]:
    """Read source, with or without its first line."""
    comment = LANGUAGES[language].comment
    text = source.replace("\r\n", "\n")
    if text.startswith(header(language)):
        text = text[len(header(language)) :].removeprefix("\n")
    return [_without_magic(cell, comment) for cell in text.split(f"\n\n{comment} COMMAND ----------\n\n")]


def source_of_cells(cells: Sequence[str], language: str) -> str:
    """Write source: the first line, and the cells between separators."""
    comment = LANGUAGES[language].comment
    written = [_with_magic(cell, comment) if cell.startswith("%") else cell for cell in cells]
    return f"{header(language)}\n" + f"\n\n{comment} COMMAND ----------\n\n".join(written)


def _without_magic(cell: str, comment: str) -> str:
    marker = f"{comment} MAGIC"
    lines = cell.split("\n")
    if not all(line == marker or line.startswith(marker + " ") for line in lines if line):
        return cell
    return "\n".join(line[len(marker) + 1 :] for line in lines)


def _with_magic(cell: str, comment: str) -> str:
    # A trailing newline is the end of the text and not an empty line with a marker.
    body, end = (cell[:-1], "\n") if cell.endswith("\n") else (cell, "")
    return "\n".join(f"{comment} MAGIC {line}" for line in body.split("\n")) + end


def jupyter_of_cells(cells: Sequence[str], language: str, name: str) -> bytes:
    """Write Jupyter's JSON (nbformat 4)."""
    known = LANGUAGES[language].jupyter
    document = {
        "cells": [_jupyter_cell(cell) for cell in cells],
        "metadata": {
            _DATABRICKS: {"dashboards": [], "language": known, "notebookName": name, "widgets": {}},
            "language_info": {"name": known},
        },
        "nbformat": 4,
        "nbformat_minor": 0,
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode()


def _jupyter_cell(cell: str) -> dict[str, Any]:
    if cell.startswith("%md\n"):
        return {"cell_type": "markdown", "metadata": {}, "source": cell[4:].splitlines(keepends=True)}
    return {
        "cell_type": "code",
        "execution_count": 0,
        "metadata": {},
        "outputs": [],
        "source": cell.splitlines(keepends=True),
    }


def cells_of_jupyter(content: bytes) -> tuple[list[str], str]:
    """Read Jupyter's JSON: the cells and the language. Raises NotNotebookError."""
    try:
        document = json.loads(content)
        found = document["cells"]
        metadata = document.get("metadata", {})
        said = metadata.get(_DATABRICKS, {}).get("language") or metadata.get("language_info", {}).get("name", "python")
        cells = []
        for cell in found:
            text = "".join(cell["source"])
            cells.append(f"%md\n{text}" if cell["cell_type"] == "markdown" else text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NotNotebookError(f"The notebook is not valid Jupyter JSON: {error}") from None
    return cells, parse_language(said)


def parse_language(name: str) -> str:
    """`python` or `PYTHON` as PYTHON; Jupyter kernels of other languages are Python to the workspace."""
    return str(name).upper() if str(name).upper() in LANGUAGES else "PYTHON"


def model_of_cells(cells: Sequence[str], language: str, name: str) -> dict[str, Any]:
    """The notebook as archives (DBC) and HTML carry it."""
    commands = [
        {"version": "CommandV1", "position": float(position), "command": cell, "state": "input"}
        for position, cell in enumerate(cells, 1)
    ]
    return {
        "version": "NotebookV1",
        "origId": 0,
        "name": name,
        "language": LANGUAGES[language].jupyter,
        "commands": commands,
    }


def cells_of_model(model: Any) -> tuple[list[str], str]:
    """The cells in their order, and the language. Raises NotNotebookError."""
    try:
        commands = sorted(model["commands"], key=lambda command: float(command["position"]))
        return [str(command["command"]) for command in commands], parse_language(model["language"])
    except (KeyError, TypeError, ValueError) as error:
        raise NotNotebookError(f"The archive holds a notebook that cannot be read: {error}") from None


_CHUNK = re.compile(r"^```\{(\w+)[^}\n]*\}\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


def rmd_of_cells(cells: Sequence[str], language: str) -> str:
    """Write R Markdown: prose between chunks."""
    own = LANGUAGES[language].jupyter
    written = []
    for cell in cells:
        if cell.startswith("%md"):
            written.append(cell[3:].strip("\n"))
            continue
        match = re.match(r"%(python|sql|scala|r)\n", cell)
        name, text = (match[1], cell[match.end() :]) if match else (own, cell)
        written.append(f"```{{{name}}}\n{text.rstrip(chr(10))}\n```")
    return "\n\n".join(written) + "\n"


def cells_of_rmd(text: str) -> list[str]:
    """Read R Markdown as the cells of an R notebook."""
    text = text.replace("\r\n", "\n")
    cells: list[str] = []
    end = 0
    for match in _CHUNK.finditer(text):
        _add_prose(cells, text[end : match.start()])
        language = match[1].lower()
        cells.append(match[2].rstrip("\n") if language == "r" else f"%{language}\n" + match[2].rstrip("\n"))
        end = match.end()
    _add_prose(cells, text[end:])
    return cells


def _add_prose(cells: list[str], prose: str) -> None:
    if prose.strip():
        cells.append("%md\n" + prose.strip("\n"))

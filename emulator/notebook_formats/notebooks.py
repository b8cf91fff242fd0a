"""Notebook formats: source with markers, Jupyter, R Markdown, and the JSON model in archives and HTML. Pure.

A notebook is a list of cells. A cell is a string with the text that the editor shows: a cell in Markdown or in a
language other than the notebook's begins with its magic command, such as `%md` or `%sql`.
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
    """The name in `language_info` and in the JSON model."""


LANGUAGES = {
    "PYTHON": Language("#", ".py", "python"),
    "SQL": Language("--", ".sql", "sql"),
    "SCALA": Language("//", ".scala", "scala"),
    "R": Language("#", ".r", "r"),
}
_DATABRICKS = "application/vnd.databricks.v1+notebook"


class NotNotebookError(ValueError):
    """The content is not a notebook in the given format; the message has the reason."""


def header(language: str) -> str:
    """Return the first line that marks a source file as a notebook."""
    return f"{LANGUAGES[language].comment} Databricks notebook source"


def language_of(name: str, content: bytes) -> str | None:
    """Return the language of a notebook, detected by extension and first line; None for a plain file."""
    for language, known in LANGUAGES.items():
        first = content.split(b"\n", 1)[0].strip().decode("utf-8", errors="replace").removeprefix("`")
        if name.lower().endswith(known.extension) and first == header(language):
            return language
    return None


def cells_of_source(source: str, language: str) -> list[str]:
    """Parse source; the first line with the marker is optional."""
    comment = LANGUAGES[language].comment
    text = source.replace("\r\n", "\n")
    if text.startswith(header(language)):
        text = text[len(header(language)) :].removeprefix("\n")
    return [_without_magic(cell, comment) for cell in text.split(f"\n\n{comment} COMMAND ----------\n\n")]


def source_of_cells(cells: Sequence[str], language: str) -> str:
    """Return source: the first line with the marker, and the cells with separators."""
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
    # A trailing newline is not an empty line that needs a marker.
    body, end = (cell[:-1], "\n") if cell.endswith("\n") else (cell, "")
    return "\n".join(f"{comment} MAGIC {line}" for line in body.split("\n")) + end


def jupyter_of_cells(cells: Sequence[str], language: str, name: str) -> bytes:
    """Return Jupyter JSON (nbformat 4)."""
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


def with_language_name(content: bytes, language: str) -> bytes:
    """Return Jupyter JSON with the platform's name for R in `language_info`, which is "R" in Jupyter."""
    if language != "R":
        return content
    document = json.loads(content)
    information = document["metadata"].get("language_info")
    if not isinstance(information, dict) or information.get("name") == LANGUAGES[language].jupyter:
        return content
    information["name"] = LANGUAGES[language].jupyter
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
    """Parse Jupyter JSON into the cells and the language. Raises NotNotebookError."""
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
    """Return PYTHON for `python` or `PYTHON`; the workspace treats other Jupyter kernels as Python."""
    return str(name).upper() if str(name).upper() in LANGUAGES else "PYTHON"


def model_of_cells(cells: Sequence[str], language: str, name: str) -> dict[str, Any]:
    """Return a notebook's JSON model, as in archives (DBC) and HTML."""
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
    """Return cells and language from a notebook's JSON model. Raises NotNotebookError."""
    try:
        commands = sorted(model["commands"], key=lambda command: float(command["position"]))
        return [str(command["command"]) for command in commands], parse_language(model["language"])
    except (KeyError, TypeError, ValueError) as error:
        raise NotNotebookError(f"The archive contains a notebook that cannot be read: {error}") from None


_CHUNK = re.compile(r"^```\{(\w+)[^}\n]*\}\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


def rmd_of_cells(cells: Sequence[str], language: str) -> str:
    """Return R Markdown: text between code chunks."""
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
    """Parse R Markdown into the cells of an R notebook."""
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

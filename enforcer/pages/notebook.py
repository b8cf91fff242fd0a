"""Notebooks of text cells, as Jupyter's JSON: the only format in which a cell is text whatever it contains. Pure."""

import json
from collections.abc import Iterable
from typing import Any


class NotebookError(ValueError):
    """The content is not a notebook of text cells; the message is a clause with the reason."""


def to_notebook(cells: Iterable[str]) -> str:
    """Return a notebook with these Markdown cells; equal cells give equal strings."""
    document = {
        "cells": [{"cell_type": "markdown", "metadata": {}, "source": _lines(cell)} for cell in cells],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _lines(cell: str) -> list[str]:
    """Return the lines with their line breaks. Only a line feed ends a line."""
    *lines, last = cell.split("\n")
    return [*(f"{line}\n" for line in lines), *([last] if last else [])]


def parse_cells(text: str) -> tuple[str, ...]:
    """Return the Markdown cells of a notebook. Raises NotebookError, also for a cell of another kind."""
    try:
        document: Any = json.loads(text)
        cells = document["cells"]
        if kinds := {str(cell["cell_type"]) for cell in cells} - {"markdown"}:
            raise NotebookError(f"it has cells of the type {', '.join(sorted(kinds))}")
        return tuple(cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"]) for cell in cells)
    except NotebookError:
        raise
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise NotebookError(f"it is not a notebook in Jupyter's format ({type(error).__name__})") from None

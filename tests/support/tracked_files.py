"""Lists the project's files, with and without git."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tracked_files(pattern: str = "*", root: Path = ROOT) -> list[Path]:
    """Return files that git tracks or would add, relative to the root; without git, all files that .gitignore does not
    match.
    """
    if shutil.which("git") is None or not (root / ".git").exists():
        return sorted(path for path in _unignored(root) if fnmatch(path.name, pattern))
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", pattern]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(Path(name) for name in listed if (root / name).is_file())


def _unignored(root: Path) -> Iterator[Path]:
    """Yield the files that no line of .gitignore matches; it must contain plain names and globs only."""
    lines = (root / ".gitignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")] + [".git"]
    anywhere = [line.rstrip("/") for line in patterns if not line.startswith("/")]
    on_top = [line.strip("/") for line in patterns if line.startswith("/")]
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        ignored = anywhere if here.parts else anywhere + on_top
        folders[:] = [name for name in folders if not any(fnmatch(name, glob) for glob in ignored)]
        yield from (here / name for name in files if not any(fnmatch(name, glob) for glob in ignored))

"""The request to close a term: lab, target, backup, and the folders that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab_settings import Lab, Target


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    lab: Lab
    settings: Path
    target_name: str
    target: Target
    backup: str | None
    without_backup: bool
    without_archive: bool
    archive: Path
    output: Path

    @property
    def stack(self) -> str:
        return self.lab.stack_id(self.target_name)

    @property
    def stack_folder(self) -> Path:
        return self.output / "stacks" / self.stack

    @property
    def state_folder(self) -> Path:
        return self.settings.parent / "state"

    @property
    def is_remote(self) -> bool:
        return self.target.backend.type != "local"

"""The request to close a term: settings, target, backup, and the folders derived from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab_settings import LabSettings, TargetSettings
from roster.model import RosterError, parse_roster


@dataclass(frozen=True)
class CloseRequest:
    """The command-line options and the settings for the term to close."""

    lab: LabSettings
    settings: Path
    target_name: str
    target: TargetSettings
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

    @property
    def group_names(self) -> tuple[str, ...]:
        """Return the display names of the groups that the lab creates for the course's own roster; none if it can no
        longer be read.
        """
        try:
            text = (self.settings.parent / self.lab.course.rosters[0]).read_text(encoding="utf-8-sig")
            groups = parse_roster(text, self.lab.course.rosters[0]).groups
        except (OSError, UnicodeDecodeError, RosterError):
            return ()
        return tuple(self.lab.course.name_prefix + group.key for group in groups if not group.principal)

    @property
    def state_location(self) -> str:
        """Return the location of the state, for messages."""
        backend = self.target.backend
        if not self.is_remote:
            return str(self.state_folder / f"{self.stack}.tfstate")
        return f"blob {backend.key} in container {backend.container_name} in {backend.storage_account_name}"

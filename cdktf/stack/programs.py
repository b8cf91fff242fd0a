"""The programs that Terraform starts, as absolute paths, so that a plan works from any shell and any folder."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class ScriptCommand:
    """A Python script with its interpreter, its working folder and what it finds in its environment."""

    interpreter: Path
    script: Path
    folder: str
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        return [str(self.interpreter), str(self.script)]


@dataclass(frozen=True)
class PackageCommand:
    """A verb of one of the packages beside this folder, which its working folder has to hold."""

    interpreter: Path
    package: str
    verb: str
    folder: str

    @property
    def command(self) -> list[str]:
        return [str(self.interpreter), "-m", self.package, self.verb]

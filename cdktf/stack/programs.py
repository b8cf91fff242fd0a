"""The commands that Terraform runs, with absolute paths, so that a plan works from any shell and folder."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class ScriptCommand:
    """A Python script with its interpreter, its working folder and additional environment variables."""

    interpreter: Path
    script: Path
    folder: str
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        return [str(self.interpreter), str(self.script)]


@dataclass(frozen=True)
class PackageCommand:
    """A package's command, run with `python -m`; the working folder must contain the package."""

    interpreter: Path
    package: str
    verb: str
    folder: str

    @property
    def command(self) -> list[str]:
        return [str(self.interpreter), "-m", self.package, self.verb]

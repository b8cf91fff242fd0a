"""A small lab at the end of a term, and the programs that close the term."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator_process import EmulatorProcess
from terraform_lab import ROOT, TerraformLab

STUDENTS = {1: ["s1a@campus.example.ac.il", "s1b@campus.example.ac.il"]}
SETTINGS = {"quota.groups.group_07": "quota.groups.group_01"}
STACK = "94290-2026w-demo"


@dataclass(frozen=True)
class ProgramResult:
    """A program's exit status and output."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class TeardownLab(TerraformLab):
    """A lab with its enforcer's ledger."""

    def __init__(self, folder: Path, emulator: EmulatorProcess, **settings: str) -> None:
        super().__init__(folder, emulator, settings={**SETTINGS, **settings})
        self.ledger = folder / "ledger" / "uptimes.db"
        self.archive = folder / "archive" / STACK

    def program(self, *arguments: str | Path, answer: str = "") -> ProgramResult:
        """Run one of the lab's programs, `python …`, in the lab's folder; `answer` is its standard input."""
        environment = {
            **os.environ,
            **self.emulator.environment(),
            "LAB_CONFIG": str(self.folder / "lab.toml"),
            "LAB_CLOCK": f"{self.emulator.url}/_emulator/clock",
            "CLUSTER_UPTIMES_DB": str(self.ledger),
            "MPLCONFIGDIR": str(self.folder / "matplotlib"),
            "PYTHONPATH": str(ROOT),
        }
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=self.folder,
            env=environment,
            input=answer,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        return ProgramResult(done.returncode, done.stdout, done.stderr)

    def enforcer(self, *arguments: str) -> ProgramResult:
        """Run `python -m enforcer …`, which must succeed."""
        done = self.program("-m", "enforcer", *arguments)
        assert done.status == 0, done.err
        return done

    def close(self, *arguments: str | Path, answer: str = "") -> ProgramResult:
        """Run `python cdktf/close_term.py …`."""
        program = ROOT / "cdktf" / "close_term.py"
        return self.program(program, "--output", self.folder / "cdktf.out", *arguments, answer=answer)

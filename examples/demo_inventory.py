"""The files at the end of a term: lists homes, counts their files, and compares the result with the emulator's data."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from processes import Emulator, emulator, run
from screen import Screen

ROOT = Path(__file__).resolve().parents[1]
FILES_SHAPE = "term"
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d [\d:,]+ INFO ")


class InventoryError(RuntimeError):
    """The inventory failed or is wrong; the message describes it."""


def rehearse_inventory(screen: Screen, environment: Mapping[str, str], folder: Path, output: Path) -> None:
    """Count the files in a separate workspace with many homes. Raise InventoryError if a number is wrong.

    `environment` is the environment for the lab's programs; working files go into `folder`. The folder `output` is
    recreated: the result and the report are saved there.
    """
    screen.step("The students' files: a workspace with a hundred homes")
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True, mode=0o700)
    with emulator(ROOT, folder / "homes.log", ["--files", FILES_SHAPE, "--seed", "demo"]) as homes:
        inventory = _Inventory(screen, homes, environment, folder, output)
        inventory.run("users", "--output", "users.csv")
        inventory.run("scan", "--users-file", "users.csv", "--output", "inventory.csv", "--report", "inventory.html")
        inventory.compare("inventory.csv")
        inventory.repeat_on_spark("inventory.csv", "spark.csv")
    screen.print_text(f"The result and a report are in {output}; open inventory.html in a browser.")


class _Inventory:
    def __init__(
        self, screen: Screen, homes: Emulator, environment: Mapping[str, str], folder: Path, output: Path
    ) -> None:
        self.screen, self.homes, self.output = screen, homes, output
        self.environment = {
            **{name: value for name, value in environment.items() if name != "FORCE_COLOR"},
            "NO_COLOR": "1",
            "PYTHONPATH": str(ROOT),
            "MPLCONFIGDIR": str(folder / "matplotlib"),
            "DATABRICKS_HOST": homes.url,
            "LAB_CLOCK": f"{homes.url}/_emulator/clock",
            "DATABRICKS_TOKEN": homes.token,
        }

    def run(self, *arguments: str) -> None:
        """Run a command of the inventory in the output folder and show its output."""
        lines: list[str] = []
        self.screen.print_output(f"$ python -m inventory {' '.join(arguments)}")
        command = [sys.executable, "-m", "inventory", *arguments]
        status = run(command, cwd=self.output, environment=self.environment, lines=lines.append)
        for line in lines if status else [line for line in lines if not LOG_LINE.match(line)]:
            self.screen.print_output(line)
        if status:
            raise InventoryError(f"`inventory {arguments[0]}` exited with status {status}")

    def compare(self, name: str) -> None:
        """Compare a result with the emulator's data about each home."""
        with (self.output / name).open(encoding="utf-8", newline="") as file:
            table = list(csv.DictReader(file))
        counted = {row["username"]: (int(row["file_count"]), int(row["total_size"])) for row in table}
        expected = {user["user_name"]: _home_size(user) for user in self.expected_files()["users"]}
        wrong = sorted(
            user for user in counted.keys() | expected.keys() if counted.get(user, (0, 0)) != expected.get(user, (0, 0))
        )
        if wrong or {row["status"] for row in table} - {"success", "empty"}:
            raise InventoryError(f"{name} does not match the homes of {', '.join(wrong[:3]) or 'all'}")
        files, size = (sum(amount[place] for amount in expected.values()) for place in (0, 1))
        self.screen.print_text(f"{files} files with {size} bytes: equal to the emulator's own data for every home.")

    def repeat_on_spark(self, name: str, other_name: str) -> None:
        """Count again with the executors of a separate Spark server and compare the two results."""
        if not has_java(self.environment):
            self.screen.print_text(
                "Java or bash is not installed, so the files are not counted again on Spark.", "yellow"
            )
            return
        self.run(
            "scan", "--users-file", "users.csv", "--output", other_name, "--spark-remote", "local[2]", "--top", "0"
        )
        if (self.output / other_name).read_bytes() != (self.output / name).read_bytes():
            raise InventoryError(f"{other_name} and {name} differ")
        self.screen.print_text("Counted again by two executors of a Spark Connect server: the results are identical.")

    def expected_files(self) -> Any:
        """Return the emulator's data about the homes."""
        with urllib.request.urlopen(f"{self.homes.url}/_emulator/files/truth", timeout=60) as answer:
            return json.load(answer)


def has_java(environment: Mapping[str, str]) -> bool:
    """Return whether a Spark server can be started here."""
    home = environment.get("JAVA_HOME")
    path = os.pathsep.join([environment.get("PATH", ""), os.defpath])
    # Spark's launcher is written in bash.
    return all(
        shutil.which(program, path=where)
        for program, where in (("java", f"{home}/bin" if home else path), ("bash", path))
    )


def _home_size(user: Mapping[str, Any]) -> tuple[int, int]:
    """Return the number of files and bytes in a home, as a scan counts them."""
    files, size = (user["dbfs"][name] + user["workspace"][name] for name in ("files", "size"))
    return files, size

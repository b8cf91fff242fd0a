"""Measures the duration of a deployment, compared with the plain Terraform that the legacy system used.

    python bench/deploy.py [--groups 30,100] [--only stages|earlier|limits] [--transition-seconds 2] [--json]

Each run uses the real provider and a separate emulator. `stages` measures the steps of our deployment; `earlier`
compares the time from the roster to stopped clusters, once with the provider's default request rate and once with ours;
`limits` deploys under the request limits of an Azure workspace, which are lowest for reads of users and groups.
"""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

from bench.earlier_lab import FIRST_PHASE, files  # noqa: E402
from emulator_process import EmulatorProcess, isolated_environment  # noqa: E402
from labkit.terraform import terraform_program  # noqa: E402
from terraform_lab import CommandOutput, TerraformLab  # noqa: E402

STUDENTS_PER_GROUP = 4
"""Number of students per group."""

EXPORT = "export.csv"
STOP_TIMEOUT_SECONDS = 60.0

PARALLEL = ("-input=false", "-parallelism=50")
OUR_REQUESTS_PER_SECOND = 100

MAX_SYNTH_SECONDS, SYNTH_GROUPS = 6.0, 100
MAX_SHARE_OF_EARLIER, MAX_SHARE_OF_EARLIER_OUR_RATE, MAX_SHARE_OF_LIMIT = 0.4, 0.8, 1.1

SCIM = "/api/2.0/preview/scim/v2/"
BURST, READS_PER_SECOND = 255, 255 / 60
"""SCIM reads that the `azure` limits permit: first in a burst after a pause, then per second."""

OURS, EARLIER, EARLIER_OUR_RATE = "ours", "the earlier system", "the earlier system at our rate"

PARTS = ("stages", "earlier", "limits")


@dataclass(frozen=True)
class StepTime:
    """Elapsed time and processor time of a step, in seconds; on a busy machine the latter is much shorter."""

    seconds: float
    computed: float


@dataclass(frozen=True)
class Threshold:
    """A measured value and its limit."""

    description: str
    measured: float
    limit: float

    @property
    def is_met(self) -> bool:
        return self.measured <= self.limit


def addresses(groups: int) -> list[list[str]]:
    """Return the addresses of the students in each group."""
    return [
        [f"s{group:03d}{letter}@campus.example.ac.il" for letter in "abcdef"[:STUDENTS_PER_GROUP]]
        for group in range(1, groups + 1)
    ]


def export_of(groups: Sequence[Sequence[str]]) -> str:
    """Return Moodle's Group self-selection export for these groups."""
    member = ("Username", "ID Number", "Firstname", "Lastname", "Email")
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(
        ["Group ID", "Group Name", "Group Size", "Group Description"]
        + [f"Member {number} {column}" for number in range(1, STUDENTS_PER_GROUP + 1) for column in member]
    )
    for number, group in enumerate(groups, 1):
        members = [cell for address in group for cell in (address.partition("@")[0], "", "Student", "Of", address)]
        rows.writerow([50000 + number, f"Group {number}", len(group), "", *members])
    return text.getvalue()


@contextmanager
def new_lab(groups: int, transition_seconds: float) -> Iterator[TerraformLab]:
    """Yield a course with this many groups in a new workspace; its roster is not imported yet."""
    with (
        EmulatorProcess(["--transition-seconds", str(transition_seconds)]) as emulator,
        tempfile.TemporaryDirectory(prefix="lab-bench-") as folder,
    ):
        made = TerraformLab(Path(folder), emulator)
        made.create_staff_account()
        (made.folder / EXPORT).write_text(export_of(addresses(groups)), encoding="utf-8")
        yield made


def unpack_bindings() -> None:
    """Synthesize once without measuring: the first synthesis in a home unpacks the bindings, as after installing."""
    with new_lab(SYNTH_GROUPS, 0.0) as lab:
        measure(
            lambda: lab.import_export(lab.folder / EXPORT),
            lambda: lab.run([sys.executable, ROOT / "cdktf" / "main.py"]),
        )


def measure(*steps: Callable[[], CommandOutput | None]) -> StepTime:
    """Return the total time of the steps. Raises click.ClickException if a command fails."""
    began, computed = time.perf_counter(), processor_seconds()
    for step in steps:
        done = step()
        if done is not None and done.status != 0:
            raise click.ClickException(done.text[-4000:])
    return StepTime(time.perf_counter() - began, processor_seconds() - computed)


def processor_seconds() -> float:
    """Return the processor time of all exited child processes except the emulator, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure_stages(groups: int, transition_seconds: float) -> dict[str, StepTime]:
    """Measure the steps of a term, from the roster import to `destroy`."""
    with new_lab(groups, transition_seconds) as lab:
        steps: Mapping[str, Callable[[], CommandOutput | None]] = {
            "import": lambda: lab.import_export(lab.folder / EXPORT),
            "synth": lambda: lab.run([sys.executable, ROOT / "cdktf" / "main.py"]),
            "init": lambda: lab.terraform("init", "-input=false"),
            "plan": lambda: lab.terraform("plan", *PARALLEL, "-out=first"),
            "apply": lambda: lab.terraform("apply", *PARALLEL, "first"),
            "replan": lambda: lab.terraform("plan", *PARALLEL, "-detailed-exitcode"),
            "destroy": lambda: lab.terraform("destroy", *PARALLEL, "-auto-approve"),
        }
        return {name: measure(step) for name, step in steps.items()}


def measure_ours(lab: TerraformLab, groups: int) -> StepTime:
    """Measure the time from roster to ready as a user runs it: the import, then one `cdktf deploy`."""
    return measure(
        lambda: lab.import_export(lab.folder / EXPORT),
        lambda: lab.cdktf("deploy", "--auto-approve"),
        lambda: await_ready(lab, groups),
    )


def measure_earlier(lab: TerraformLab, groups: int, requests_per_second: int | None) -> StepTime:
    """Measure the time from the table of students until everything is ready, in the legacy system's two phases."""
    folder = lab.folder / "earlier"
    folder.mkdir()
    for name, text in files(addresses(groups), requests_per_second=requests_per_second).items():
        (folder / name).write_text(text, encoding="utf-8")
    terraform = terraform_program(os.environ)
    return measure(
        lambda: lab.run([terraform, "init", "-input=false"], cwd=folder),
        lambda: lab.run([terraform, "apply", *PARALLEL, "-auto-approve", f"-target={FIRST_PHASE}"], cwd=folder),
        lambda: lab.run([terraform, "apply", *PARALLEL, "-auto-approve"], cwd=folder),
        lambda: await_ready(lab, groups),
    )


def await_ready(lab: TerraformLab, groups: int) -> None:
    """Return when every cluster is stopped. Raises click.ClickException if one keeps running or lacks a library."""
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    while {cluster["state"] for cluster in lab.clusters().values()} != {"TERMINATED"}:
        if time.monotonic() > deadline:
            raise click.ClickException(f"{STOP_TIMEOUT_SECONDS:.0f} seconds after the deployment, clusters still run")
        time.sleep(0.1)
    clusters = lab.clusters()
    bare = [name for name, cluster in clusters.items() if len(lab.libraries(cluster["cluster_id"])) != 2]
    if len(clusters) != groups or bare:
        raise click.ClickException(f"{len(clusters)} of {groups} clusters exist; without libraries: {bare}")


def measure_comparison(groups: int, transition_seconds: float) -> dict[str, StepTime]:
    """Measure the time from roster to ready: ours, and the legacy system's at the provider's rate and at ours."""
    found = {}
    runs: Mapping[str, Callable[[TerraformLab], StepTime]] = {
        OURS: lambda lab: measure_ours(lab, groups),
        EARLIER: lambda lab: measure_earlier(lab, groups, None),
        EARLIER_OUR_RATE: lambda lab: measure_earlier(lab, groups, OUR_REQUESTS_PER_SECOND),
    }
    for name, run in runs.items():
        with new_lab(groups, transition_seconds) as lab:
            found[name] = run(lab)
    return found


def measure_under_limits(groups: int, transition_seconds: float) -> dict[str, float]:
    """Measure our deployment under an Azure workspace's limits, and the minimum time of its user and group reads."""
    with new_lab(groups, transition_seconds) as lab:
        lab.emulator.control("POST", "faults", {"profile": "azure"})
        took = measure_ours(lab, groups)
        request_log = lab.emulator.request_log()
    reads = [entry for entry in request_log if entry["method"] == "GET" and entry["path"].startswith(SCIM)]
    refused = sum(entry["status"] == 429 for entry in reads)
    return {
        "seconds": took.seconds,
        "answered SCIM reads": len(reads) - refused,
        "refused SCIM reads": refused,
        "refused of all else": sum(entry["status"] == 429 for entry in request_log) - refused,
        "seconds implied": (len(reads) - refused) / READS_PER_SECOND,
        "seconds implied after the burst": max(0.0, len(reads) - refused - BURST) / READS_PER_SECOND,
    }


def thresholds(groups: int, measured: Mapping[str, Mapping[str, Any]]) -> list[Threshold]:
    """Return the thresholds that apply to these figures."""
    found = []
    if (steps := measured.get("stages")) and groups == SYNTH_GROUPS:
        found.append(Threshold("synthesis, imports included", steps["synth"].seconds, MAX_SYNTH_SECONDS))
    if times := measured.get("earlier"):
        for name, limit in ((EARLIER, MAX_SHARE_OF_EARLIER), (EARLIER_OUR_RATE, MAX_SHARE_OF_EARLIER_OUR_RATE)):
            found.append(Threshold(f"ours, of {name}", times[OURS].seconds / times[name].seconds, limit))
    if limits := measured.get("limits"):
        found.append(
            Threshold(
                "under limits, of what is implied", limits["seconds"] / limits["seconds implied"], MAX_SHARE_OF_LIMIT
            )
        )
    return found


def print_report(groups: int, measured: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the figures as a table."""
    click.echo(f"\n{groups} groups, {groups * STUDENTS_PER_GROUP} students")
    for part, figures in measured.items():
        click.echo(f"  {part:34} seconds  computed  share" if part != "limits" else f"  {part}")
        total = sum(took.seconds for took in figures.values()) if part == "stages" else 0.0
        for name, figure in figures.items():
            if isinstance(figure, StepTime):
                share = f"{figure.seconds / total:7.0%}" if total else ""
                click.echo(f"    {name:32} {figure.seconds:7.1f}  {figure.computed:8.1f}{share}")
            else:
                click.echo(f"    {name:32} {figure:7.1f}")
    for goal in thresholds(groups, measured):
        verdict = "met" if goal.is_met else "MISSED"
        click.echo(f"  {goal.description}: {goal.measured:.2f}, at most {goal.limit}: {verdict}")


@click.command()
@click.option("--groups", "sizes", default="30,100", show_default=True, help="Course sizes, as numbers of groups.")
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Run only this part; may be repeated.")
@click.option("--transition-seconds", default=2.0, show_default=True, help="Duration of a cluster's state transition.")
@click.option("--json", "as_json", is_flag=True, help="Print data instead of a table.")
def main(sizes: str, only: tuple[str, ...], transition_seconds: float, as_json: bool) -> None:
    """Measure deployments of courses; exit with status 1 if a threshold is missed.

    Run it on an idle machine: the provider's request rate does not slow down with the machine.
    """
    run: Mapping[str, Callable[[int, float], Mapping[str, Any]]] = {
        "stages": measure_stages,
        "earlier": measure_comparison,
        "limits": measure_under_limits,
    }
    everything: dict[int, dict[str, Mapping[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix="lab-bench-home-") as home:
        use_home(Path(home))
        unpack_bindings()
        for groups in map(int, sizes.split(",")):
            everything[groups] = {part: run[part](groups, transition_seconds) for part in only or PARTS}
            if not as_json:
                print_report(groups, everything[groups])
    if as_json:
        click.echo(json.dumps(everything, indent=1, default=asdict))
    missed = [
        f"{goal.description} ({groups} groups)"
        for groups, measured in everything.items()
        for goal in thresholds(groups, measured)
        if not goal.is_met
    ]
    if missed:
        raise click.ClickException(f"missed: {'; '.join(missed)}")


def use_home(home: Path) -> None:
    """Use this home: hide the user's profiles, tokens and settings, but keep Terraform's plugins."""
    plugins = Path.home() / ".terraform.d"
    if plugins.is_dir():
        (home / ".terraform.d").symlink_to(plugins)
    isolated = isolated_environment(home)
    os.environ.clear()
    os.environ.update(isolated)


if __name__ == "__main__":
    main()

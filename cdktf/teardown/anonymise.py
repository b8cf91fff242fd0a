"""Deletes a closed lab's files that contain people's names: roster, stack, archived state, archived people."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from lab_settings import LabSettings
from teardown.facts import archives, local_state, state_files
from teardown.steps import StateFacts, Status, Step


def anonymise_steps(
    lab: LabSettings, *, stack: str, settings_folder: Path, output: Path, archive: Path, state: StateFacts
) -> list[Step]:
    """Return the steps for `--anonymise`: the files to delete, by kind. Read-only."""
    if not state.is_empty:
        why = state.problem or f"the lab still exists, with {len(state.managed)} objects; close the term first"
        return [Step("names", Status.NOT_POSSIBLE, why)]
    archived = archives(archive, course=lab.course.id, term=lab.course.term)
    return [
        _roster_step(lab, stack, settings_folder),
        _step("synthesized stack", [output / "stacks" / stack]),
        _step("state", [*state_files(settings_folder / "state", stack), *archived_states(archive, stack)]),
        # The totals next to these files contain only group names and are kept.
        _step("archived people", sorted(Path(one.path) / "people" for one in archived)),
        _step("unfinished archives", sorted(archive.glob(".enforcer-*"))),
    ]


def archived_states(archive: Path, stack: str) -> list[Path]:
    """Return the archive folders that contain the stack's state."""
    return [path for path in sorted(archive.glob("state-*")) if any(path.glob(f"{stack}.*"))]


def _roster_step(lab: LabSettings, stack: str, settings_folder: Path) -> Step:
    """Return the step for the course's own roster; other courses' rosters are kept."""
    rosters = [settings_folder / lab.course.rosters[0]]
    rosters += sorted(rosters[0].parent.glob(f".{rosters[0].name}.*.new"))
    for target in lab.targets:
        other = lab.stack_id(target)
        state = local_state(settings_folder / "state", other)
        if other != stack and not state.is_empty:
            return Step(
                "roster", Status.NOT_POSSIBLE, f"target {target} is still deployed from it; close that target first"
            )
    return _step("roster", rosters)


def _step(name: str, paths: Sequence[Path]) -> Step:
    there = tuple(str(path) for path in paths if path.exists())
    if not there:
        return Step(name, Status.DONE, "there are no files")
    return Step(name, Status.TO_DO, "to be removed", there)


def remove(step: Step) -> list[str]:
    """Delete a step's files; return a message for each file that could not be deleted."""
    failures = []
    for name in step.items:
        path = Path(name)
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            failures.append(f"{path} could not be deleted: {error.strerror or error}")
    return failures

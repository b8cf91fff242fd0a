"""Checks the groups' files for time requests: that each group can edit its own file and open no other one."""

from collections.abc import Iterable
from functools import partial

from enforcer.domain.course import Course
from enforcer.time_requests.files import EDIT
from enforcer.time_requests.read import group_paths
from enforcer.workspace import objects
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import ObjectNotFoundError, WorkspaceError
from enforcer.workspace.objects import ObjectKind
from enforcer.workspace.tasks import in_parallel
from labkit.course_file import COURSE_VERSION_FILE, REQUESTS


def request_file_problems(workspace: Workspace, course: Course, groups: Iterable[str]) -> list[str]:
    """Return a message for each of these groups that cannot edit its file, and for each file that others can open."""
    of_interest = frozenset(groups)
    tasks = [partial(_folder_problems, workspace, course)]
    tasks += [
        partial(_file_problems, workspace, course, group, path)
        for path, group in sorted(group_paths(course).items())
        if group in of_interest
    ]
    return [problem for problems in in_parallel(tasks) for problem in problems]


def _folder_problems(workspace: Workspace, course: Course) -> list[str]:
    folder = f"{course.folder}/{REQUESTS}"
    try:
        objects.object_id(workspace, f"{folder}/{COURSE_VERSION_FILE}")
        openers = objects.group_levels(workspace, ObjectKind.FOLDER, folder).keys() & course.student_groups
    except ObjectNotFoundError as error:
        return [f"{error}; deploy the course again"]
    except WorkspaceError as error:
        return [str(error)]
    return [
        f"{name} can open {folder} with the time requests of all groups; remove the permission"
        for name in sorted(openers)
    ]


def _file_problems(workspace: Workspace, course: Course, group: str, path: str) -> list[str]:
    principal = course.principal_of(group)
    try:
        levels = objects.group_levels(workspace, ObjectKind.FILE, path)
    except ObjectNotFoundError:
        return [f"{group} has no file for time requests yet; a poll creates it"]
    except WorkspaceError as error:
        return [f"the file for time requests of {group}: {error}"]
    problems = [
        f"{name} can open the file for time requests of {group}; remove its permission on {path}"
        for name in sorted(levels.keys() & course.student_groups - {principal})
    ]
    own = levels.get(principal, set())
    if EDIT not in own:
        problems.append(f"{principal} cannot edit the file for time requests of {group}; give it {EDIT} on {path}")
    if more := ", ".join(sorted(own - {EDIT})):
        problems.append(f"{principal} also has {more} on {path}; {EDIT} is enough")
    return problems

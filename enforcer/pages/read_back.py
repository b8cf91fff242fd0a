"""Reads the groups' pages back, as a member of the group would: permission, page and text."""

from collections.abc import Iterable
from functools import partial

from enforcer.domain.course import Course
from enforcer.pages.notebook import NotebookError, parse_cells
from enforcer.pages.publish import NAME, folder_of
from enforcer.workspace import objects
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import ObjectNotFoundError, WorkspaceError
from enforcer.workspace.objects import ObjectKind
from enforcer.workspace.tasks import in_parallel
from labkit.course_file import GROUPS


def page_problems(workspace: Workspace, course: Course, groups: Iterable[str]) -> list[str]:
    """Return a message for each of these groups that cannot read its page, and for each page that others can read."""
    tasks = [partial(_folder_problems, workspace, course)]
    tasks += [partial(_page_problems, workspace, course, group) for group in sorted(groups)]
    return [problem for problems in in_parallel(tasks) for problem in problems]


def _folder_problems(workspace: Workspace, course: Course) -> list[str]:
    folder = f"{course.folder}/{GROUPS}"
    try:
        readers = set(objects.group_levels(workspace, ObjectKind.FOLDER, folder))
    except ObjectNotFoundError:
        return []
    except WorkspaceError as error:
        return [str(error)]
    return [
        f"{name} can open {folder} with the pages of all groups; remove the permission"
        for name in sorted(readers & course.student_groups)
    ]


def _page_problems(workspace: Workspace, course: Course, group: str) -> list[str]:
    path, principal = f"{folder_of(course, group)}/{NAME}", course.principal_of(group)
    try:
        readers = set(objects.group_levels(workspace, ObjectKind.NOTEBOOK, path))
        cells = parse_cells(objects.read_notebook(workspace, path))
    except ObjectNotFoundError:
        return [f"{group} has no page yet; a poll writes it"]
    except NotebookError as error:
        return [f"the page of {group} was changed: {error}; delete {path}"]
    except WorkspaceError as error:
        return [f"the page of {group}: {error}"]
    problems = [
        f"{name} can read the page of {group}; remove its permission on {path}"
        for name in sorted(readers & course.student_groups - {principal})
    ]
    if principal not in readers:
        problems.append(f"{principal} cannot read the page of {group}; give it CAN_READ on {folder_of(course, group)}")
    if not cells:
        problems.append(f"the page of {group} is empty; delete {path}")
    return problems

"""The course's folder in the workspace, with the course file and the folders of the enforcer's allowances and of time
requests.
"""

import base64
import json
from collections.abc import Sequence

from labkit.course_file import ALLOWANCES, COURSE_VERSION_FILE, FILE_NAME, GROUPS, REQUESTS
from stack.framework import Construct, Directory, ITerraformDependable, Permissions, Token, WorkspaceFile
from stack.staff import Staff, level_unless_caller


class CourseFolder(Construct):
    """`databricks_workspace_file.course_file` and the folders `course_folder` and `allowances` with their permissions.

    With `has_pages`, there is also the folder `groups_pages`, in which the enforcer makes a folder for each group. With
    `has_requests`, there are the folder `requests` and the file `course_version` in it. Students have no permission on
    any of them. `caller` is an expression for the deploying user's name.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        path: str,
        course_text: str,
        has_pages: bool = False,
        has_requests: bool = False,
        staff: Staff,
        caller: str,
        depends_on: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, id)
        # Without delete_recursive, a folder to which somebody added files could not be destroyed.
        folder = Directory(self, "folder", path=path, delete_recursive=True, depends_on=depends_on)
        folder.override_logical_id("course_folder")

        course_file = WorkspaceFile(
            self,
            "file",
            path=f"{path}/{FILE_NAME}",
            content_base64=base64.b64encode(course_text.encode()).decode(),
            depends_on=[folder],
        )
        course_file.override_logical_id("course_file")

        allowances = Directory(
            self, "allowances", path=f"{path}/{ALLOWANCES}", delete_recursive=True, depends_on=[folder]
        )
        allowances.override_logical_id("allowances")

        levels = [(folder, "course_folder", "CAN_READ"), (allowances, "allowances", "CAN_EDIT")]
        if has_pages:
            # The enforcer may be a member of the staff without administrator rights.
            groups = Directory(self, "groups", path=f"{path}/{GROUPS}", delete_recursive=True, depends_on=[folder])
            groups.override_logical_id("groups_pages")
            levels.append((groups, "groups_pages", "CAN_EDIT"))
        if has_requests:
            requests = Directory(
                self, "requests", path=f"{path}/{REQUESTS}", delete_recursive=True, depends_on=[folder]
            )
            requests.override_logical_id("requests")
            levels.append((requests, "requests", "CAN_EDIT"))
            version = json.loads(course_text)["checksum"]
            # The enforcer relies on the order: if it sees this file, the course file is at least as new.
            version_file = WorkspaceFile(
                self,
                "version",
                path=f"{path}/{REQUESTS}/{COURSE_VERSION_FILE}",
                content_base64=base64.b64encode(f"{version}\n".encode()).decode(),
                depends_on=[requests, course_file],
            )
            version_file.override_logical_id("course_version")

        if staff:
            for directory, name, level in levels:
                rights = Permissions(
                    self,
                    f"{name}_rights",
                    directory_id=Token.as_string(directory.object_id),
                    access_control=staff.access_entries(
                        level, levels={who: level_unless_caller(who, caller, level) for who in staff.names}
                    ),
                )
                rights.override_logical_id(name)

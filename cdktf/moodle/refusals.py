"""Explains the errors of Moodle's web service, which have few codes and many causes. Pure.

Before any other function, `core_webservice_get_site_info` is called, and the functions that the token may call are
compared with those that are needed. So a later error cannot be caused by token, address or service.
"""

from __future__ import annotations

from collections.abc import Sequence

from labkit.text import quoted

SITE_INFO = "core_webservice_get_site_info"
COURSES = "core_course_get_courses_by_field"
GROUPS = "core_group_get_course_groups"
MEMBERS = "core_group_get_group_members"
GROUPINGS = "core_group_get_course_groupings"
GROUPS_OF_GROUPING = "core_group_get_groupings"
ENROLLED = "core_enrol_get_enrolled_users"
ACCOUNTS = "core_user_get_users_by_field"

_CAPABILITIES = {
    GROUPS: "moodle/course:managegroups",
    MEMBERS: "moodle/course:managegroups",
    GROUPINGS: "moodle/course:managegroups",
    GROUPS_OF_GROUPING: "moodle/course:managegroups",
    ENROLLED: "moodle/course:viewparticipants",
}
_AGAIN = "import again"


def refusal_sentence(function: str, code: str, *, capability: str = "", is_course_known: bool = True) -> str:
    """Return a sentence with the possible causes of an error, and what to do.

    `capability` is the one that the call needs, if its arguments decide that. `is_course_known` is False if the
    course's id was not looked up.
    """
    if code == "accessexception":
        return _access_sentence(function)
    if code == "nopermissions":
        needed = capability or _CAPABILITIES.get(function, "")
        what = f"the capability {needed} in the course" if needed else f"a capability that {function} needs"
        return f"the token's user lacks {what}: ask for it, or use the token of a teacher with this capability."
    if code == "errorcoursecontextnotvalid":
        unknown = "" if is_course_known else "there is no course with this id, or "
        return (
            f"the token's user cannot use the course: {unknown}the user is not enrolled in it, may not see it while "
            "it is hidden, has not agreed to the site's policy, or must change the password; log in to Moodle as "
            "this user and open the course."
        )
    if code == "invalidrecord":
        return _missing_record_sentence(function)
    return _SENTENCES.get(code) or _unexpected_sentence(function, code)


_SENTENCES = {
    "invalidtoken": (
        "Moodle does not know the token: it is mistyped, was deleted, or has expired (Moodle deletes an expired token "
        "when it is used); create a new one."
    ),
    "wsaccessusersuspended": "the account of the token's user is suspended: use the token of another teacher.",
    "sitemaintenance": "Moodle is in maintenance: try again later.",
    "invalidresponse": (
        "Moodle cannot list the groups, because a group's name contains a tag such as <b>: rename that group, or "
        "import without --grouping."
    ),
}


def _access_sentence(function: str) -> str:
    if function == SITE_INFO:
        return (
            "Moodle refuses the token: it has expired, or is valid only for another IP address; or its service is "
            "switched off, does not list its user, requires a capability that the user lacks, or does not contain "
            f"{SITE_INFO}; or the user lacks webservice/rest:use. Ask Moodle's administrator."
        )
    return f"Moodle refused {function}, which the token's service contains: token or service have changed; {_AGAIN}."


def _missing_record_sentence(function: str) -> str:
    if function == ENROLLED:
        return "there is no course with this id: check --course."
    what = {MEMBERS: "a group was", GROUPS_OF_GROUPING: "the grouping was"}.get(function, "something in the course was")
    return f"{what} deleted while the course was read: {_AGAIN}."


def _unexpected_sentence(function: str, code: str) -> str:
    return (
        f"Moodle refused {function} with the error {quoted(code)}: its version may differ from 4.1, with which this "
        "program was checked; import the Group self-selection CSV instead."
    )


def missing_functions_sentence(missing: Sequence[str]) -> str:
    """Return the sentence for a token whose service lacks functions that are needed."""
    return (
        f"the token's service does not contain {', '.join(missing)}: ask Moodle's administrator to add "
        f"{'it' if len(missing) == 1 else 'them'}."
    )

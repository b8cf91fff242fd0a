"""A small Moodle site that answers web service calls as Moodle 4.1 does, with its silent omissions and its errors.

`MoodleSite.answer` is a function of the form's fields; `MoodleServer` serves it over HTTP.
"""

from __future__ import annotations

import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from moodle_files import Team

ENDPOINT = "/webservice/rest/server.php"
MOBILE = frozenset(
    {
        "core_webservice_get_site_info",
        "core_course_get_courses_by_field",
        "core_group_get_course_groups",
        "core_group_get_course_groupings",
        "core_enrol_get_enrolled_users",
        "core_user_get_users_by_field",
    }
)
"""The functions of Moodle's mobile service, as far as they matter here."""
FULL = MOBILE | {"core_group_get_group_members", "core_group_get_groupings"}
TEACHER = frozenset({"managegroups", "viewparticipants", "accessallgroups", "enrolreview", "useremail"})
_CAPABILITY_NAMES = {
    "managegroups": "Manage groups",
    "viewparticipants": "View participants",
    "accessallgroups": "Access all groups",
    "enrolreview": "Review course enrolments",
}
_TAG = re.compile(r"<[^>]*>")
_AMPERSAND = re.compile(r"&(?![a-zA-Z0-9#]{1,8};)")


@dataclass(frozen=True)
class Person:
    """A person enrolled in the course. Without `email`, the token's user may not see the address."""

    id: int
    email: str
    roles: tuple[str, ...] = ("student",)
    is_enrolment_active: bool = True
    is_account_suspended: bool = False

    @property
    def is_suspended(self) -> bool:
        return self.is_account_suspended or not self.is_enrolment_active


@dataclass(frozen=True)
class Token:
    """A token: its user, the functions of its service, and the user's capabilities in the course."""

    user: int = 0
    functions: frozenset[str] = FULL
    capabilities: frozenset[str] = TEACHER
    problem: str = ""
    """A problem of the token itself: `expired`, `address`, or the code of an error."""


@dataclass
class MoodleSite:
    """One course, its people, groups with their members, groupings, and the tokens."""

    people: list[Person] = field(default_factory=list)
    groups: dict[int, str] = field(default_factory=dict)
    """Group id → name in the database."""
    members: dict[int, list[int]] = field(default_factory=dict)
    groupings: dict[int, tuple[str, list[int]]] = field(default_factory=dict)
    is_separate: bool = True
    """Whether the course has separate groups."""
    tokens: dict[str, Token] = field(default_factory=dict)
    state: str = ""
    """`off`, `closed` (maintenance by command line), `maintenance`, `moved`, `busy`, `html`, `context`, or normal."""
    id: int = 3
    idnumber: str = "94290"
    calls: list[dict[str, str]] = field(default_factory=list)

    def teams(self, *, without: Iterable[int] = (), only: Iterable[int] | None = None) -> list[Team]:
        """Return the groups as the Group self-selection exports them, without some people, or only some groups."""
        left_out, by_id = set(without), {person.id: person for person in self.people}
        return [
            Team(id, name, tuple(by_id[user].email for user in sorted(self.members[id]) if user not in left_out))
            for id, name in sorted(self.groups.items())
            if only is None or id in only
        ]

    def answer(self, form: Mapping[str, str]) -> tuple[int, str, bytes, dict[str, str]]:
        """Return status, content type, body and further headers."""
        self.calls.append(dict(form))
        page = b"<!DOCTYPE html><html><head><title>Moodle</title></head></html>"
        if self.state == "off":
            return 403, "text/html; charset=utf-8", b"", {}
        if self.state == "closed":
            return 503, "text/html; charset=utf-8", page, {"Retry-After": "0"}
        if self.state == "busy":
            self.state = ""
            return 503, "text/html; charset=utf-8", page, {"Retry-After": "0"}
        if self.state == "moved":
            return 303, "text/html; charset=UTF-8", page, {"Location": "https://moodle.example.ac.il"}
        if self.state == "html":
            return 200, "text/html; charset=UTF-8", page, {}
        if form.get("moodlewsrestformat") != "json":
            return 200, "application/xml; charset=utf-8", b'<?xml version="1.0" encoding="UTF-8" ?>\n<RESPONSE/>', {}
        try:
            answer = self._call(form)
        except _Refused as refused:
            answer = {"exception": refused.exception, "errorcode": refused.code, "message": refused.message}
        body = json.dumps(answer, separators=(",", ":")).replace("/", "\\/")
        return 200, "application/json", body.encode("ascii"), {}

    def _call(self, form: Mapping[str, str]) -> Any:
        name = form.get("wstoken", "")
        token = self.tokens.get(name)
        if token is None:
            raise _Refused("moodle_exception", "invalidtoken", "Invalid token - token not found")
        if token.problem == "expired":
            del self.tokens[name]
        if token.problem in ("expired", "address"):
            raise _Refused("webservice_access_exception", "accessexception", "Access control exception")
        if token.problem:
            raise _Refused("moodle_exception", token.problem, "…")
        if self.state == "maintenance":
            raise _Refused("moodle_exception", "sitemaintenance", "The site is undergoing maintenance")
        function = form.get("wsfunction", "")
        if function not in _FUNCTIONS:
            raise _Refused("dml_missing_record_exception", "invalidrecord", "Can't find data record in database")
        if function not in token.functions:
            raise _Refused("webservice_access_exception", "accessexception", "Access control exception")
        if self.state == "context" and function not in (
            "core_webservice_get_site_info",
            "core_course_get_courses_by_field",
        ):
            message = 'Site policy not agreed: <a href="https://moodle.example.ac.il/user/policy.php">Click here</a>'
            raise _Refused("moodle_exception", "errorcoursecontextnotvalid", message)
        return _FUNCTIONS[function](self, token, form)

    def _site_info(self, token: Token, form: Mapping[str, str]) -> Any:
        return {
            "sitename": "Example",
            "siteurl": "https://moodle.example.ac.il",
            "userid": token.user,
            "functions": [{"name": name, "version": "2022112806"} for name in sorted(token.functions)],
            "release": "4.1.6 (Build: 20231009)",
            "version": "2022112806",
            "userprivateaccesskey": "a-private-key",
        }

    def _courses(self, token: Token, form: Mapping[str, str]) -> Any:
        names = {"id": str(self.id), "shortname": "94290-2026w", "idnumber": self.idnumber}
        known = form["field"] in names and form["value"] == names[form["field"]]
        course = {"id": self.id, "fullname": "Data – הנדסת נתונים", "shortname": "94290-2026w", "contacts": []}
        return {"courses": [course] if known else [], "warnings": []}

    def _course_groups(self, token: Token, form: Mapping[str, str]) -> Any:
        self._check_course(form)
        _require(token, "managegroups")
        return [self._group(id, sent_name(name)) for id, name in sorted(self.groups.items(), key=lambda pair: pair[1])]

    def _group(self, id: int, name: str) -> dict[str, Any]:
        return {
            "id": id,
            "courseid": self.id,
            "name": name,
            "description": "",
            "descriptionformat": 1,
            "enrolmentkey": "an-enrolment-key",
            "idnumber": "",
        }

    def _group_members(self, token: Token, form: Mapping[str, str]) -> Any:
        ids = [int(value) for key, value in form.items() if key.startswith("groupids[")]
        if not ids:
            raise _Refused("invalid_parameter_exception", "invalidparameter", "Invalid parameter value detected")
        if any(id not in self.groups for id in ids):
            raise _Refused("dml_missing_record_exception", "invalidrecord", "Can't find data record in database")
        _require(token, "managegroups")
        return [{"groupid": id, "userids": list(reversed(self.members[id]))} for id in ids]

    def _course_groupings(self, token: Token, form: Mapping[str, str]) -> Any:
        _require(token, "managegroups")
        return [{"id": id, "courseid": self.id, "name": name} for id, (name, _) in self.groupings.items()]

    def _groupings(self, token: Token, form: Mapping[str, str]) -> Any:
        _require(token, "managegroups")
        id = int(form["groupingids[0]"])
        name, ids = self.groupings[id]
        if any(_TAG.search(self.groups[group]) for group in ids):
            raise _Refused("invalid_response_exception", "invalidresponse", "Invalid response value detected")
        groups = [self._group(group, self.groups[group]) for group in ids]
        return [{"id": id, "courseid": self.id, "name": name, "groups": groups}]

    def _enrolled_users(self, token: Token, form: Mapping[str, str]) -> Any:
        self._check_course(form)
        _require(token, "viewparticipants")
        options = _options(form)
        if options.get("onlyactive") == "1":
            _require(token, "enrolreview")
        fields = options.get("userfields", "id,fullname,email,roles").split(",")
        if any(name not in ("id", "fullname", "email", "roles") for name in fields):
            raise _Refused("moodle_exception", "invaliduserfield", "Invalid user field")
        users = [person for person in sorted(self.people, key=lambda person: person.id) if self.sees(token, person)]
        if "groupid" in options:
            members = self.members.get(int(options["groupid"]), [])
            if token.user not in members:
                _require(token, "accessallgroups")
            users = [person for person in users if person.id in members]
        if options.get("onlyactive") == "1":
            users = [person for person in users if person.is_enrolment_active]
        start, number = max(int(options.get("limitfrom", 0)), 0), int(options.get("limitnumber", 0))
        users = users[start : start + number] if number else users[start:]
        return [_user(person, fields) for person in users]

    def sees(self, token: Token, person: Person) -> bool:
        if not self.is_separate or "accessallgroups" in token.capabilities:
            return True
        own = [ids for ids in self.members.values() if token.user in ids]
        return any(person.id in ids for ids in own)

    def _users_by_field(self, token: Token, form: Mapping[str, str]) -> Any:
        ids = {int(value) for key, value in form.items() if key.startswith("values[")}
        # Without an active enrolment, a user shares no course with the token's user and is left out.
        return [
            {"id": person.id, "fullname": f"Person {person.id}", "suspended": person.is_account_suspended}
            for person in self.people
            if person.id in ids and person.is_enrolment_active
        ]

    def _check_course(self, form: Mapping[str, str]) -> None:
        if form["courseid"] != str(self.id):
            raise _Refused("moodle_exception", "errorcoursecontextnotvalid", "Invalid parameter value detected")


class _Refused(Exception):
    def __init__(self, exception: str, code: str, message: str) -> None:
        super().__init__(code)
        self.exception, self.code, self.message = exception, code, message


def sent_name(name: str) -> str:
    """Return a group's name as the web service sends it: without tags, and with `&` escaped once."""
    return _TAG.sub("", _AMPERSAND.sub("&amp;", name))


def _require(token: Token, capability: str) -> None:
    if capability not in token.capabilities:
        message = f"Sorry, but you do not currently have permissions to do that ({_CAPABILITY_NAMES[capability]})."
        raise _Refused("required_capability_exception", "nopermissions", message)


def _options(form: Mapping[str, str]) -> dict[str, str]:
    names = {key[:-6]: value for key, value in form.items() if key.startswith("options[") and key.endswith("[name]")}
    return {name: form[f"{prefix}[value]"] for prefix, name in names.items()}


def _user(person: Person, fields: list[str]) -> dict[str, Any]:
    # The full name is always there; an address that may not be seen is not.
    user: dict[str, Any] = {"id": person.id, "fullname": f"Person {person.id}"}
    if "email" in fields and person.email:
        user["email"] = person.email
    if "roles" in fields:
        user["roles"] = [{"roleid": 5, "name": "", "shortname": role, "sortorder": 0} for role in person.roles]
    return user


_FUNCTIONS: Mapping[str, Callable[[MoodleSite, Token, Mapping[str, str]], Any]] = {
    "core_webservice_get_site_info": MoodleSite._site_info,
    "core_course_get_courses_by_field": MoodleSite._courses,
    "core_group_get_course_groups": MoodleSite._course_groups,
    "core_group_get_group_members": MoodleSite._group_members,
    "core_group_get_course_groupings": MoodleSite._course_groupings,
    "core_group_get_groupings": MoodleSite._groupings,
    "core_enrol_get_enrolled_users": MoodleSite._enrolled_users,
    "core_user_get_users_by_field": MoodleSite._users_by_field,
}


class MoodleServer:
    """Serves a site over HTTP at a free port of this machine; `site` may be replaced at any time."""

    def __init__(self, site: MoodleSite) -> None:
        self.site = site
        self.raw_answer: bytes | None = None
        """If set, the body of every answer."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                form = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True))
                if self.path != ENDPOINT:
                    self._send(404, "text/html; charset=UTF-8", b"<!doctype html><html></html>", {})
                else:
                    self._send(*server.site.answer(form))

            def _send(self, status: int, content_type: str, body: bytes, headers: Mapping[str, str]) -> None:
                body = body if server.raw_answer is None else server.raw_answer
                self.send_response(status)
                for name, value in {"Content-Type": content_type, "Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

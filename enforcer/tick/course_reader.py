"""Reads a course from the workspace: course file, allowances, group members. Needs no ledger.

With a cache, a file is read only if its version has changed; if reading fails, the cached state is used and a problem
is added. Without a cache everything is read, and failures are raised.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, tzinfo
from functools import partial
from typing import Protocol

from enforcer.domain.allowances import Allowance, AllowanceError, Revocation, parse_entry
from enforcer.domain.course import Course, CourseError
from enforcer.domain.observations import DirectGrant, FileInfo, FileList, ObservedCluster, RawEvent
from enforcer.domain.quota import Calendar, Level
from enforcer.domain.settled_totals import SETTLED_FILE, SettledTotals, SettledTotalsError, parse_settled
from enforcer.workspace.course_file import check_course, parse_course
from enforcer.workspace.errors import WorkspaceError
from enforcer.workspace.tasks import in_parallel
from labkit.course_file import ALLOWANCES, COURSE_VERSION_FILE, FILE_NAME, REQUESTS, folder_of

Members = Mapping[str, frozenset[str]]
"""Lower-case addresses by group."""


class WorkspaceReader(Protocol):
    """Read operations of a workspace; each may raise WorkspaceError."""

    @property
    def caller(self) -> str:
        """The enforcer's own user; empty if not known."""
        ...

    def clusters(self, *, now: datetime) -> list[ObservedCluster]: ...

    def exists(self, cluster_id: str) -> bool: ...

    def events(self, cluster_id: str, since: datetime | None) -> list[RawEvent]: ...

    def level(self, cluster_id: str, group: str) -> Level | None: ...

    def grants(self, cluster_id: str) -> list[DirectGrant]: ...

    def files(self, folder: str) -> FileList: ...

    def read(self, path: str) -> str: ...

    def read_bytes(self, path: str, *, most: int) -> bytes: ...

    def members(self) -> dict[str, frozenset[str]]: ...

    def pop_problems(self) -> list[str]:
        """Return and clear the messages about malformed entries since the last call."""
        ...


class WorkspaceCache(Protocol):
    """Cache of files and members read earlier."""

    def file(self, path: str) -> tuple[str, str] | None:
        """Return version and content; None if it was never read."""
        ...

    def store_file(self, file: FileInfo, content: str) -> None: ...

    def paths(self, folder: str) -> list[str]:
        """Return the files that were in the folder when it was last listed."""
        ...

    def store_paths(self, folder: str, paths: list[str]) -> None: ...

    def members(self) -> Members | None:
        """Return addresses by group; None if they were never read."""
        ...

    def store_members(self, members: Members) -> Members:
        """Store the members and return them together with the members of former groups."""
        ...


def read_folder(
    workspace: WorkspaceReader | None,
    cache: WorkspaceCache,
    course_term: tuple[str, str] | None,
    zone: tzinfo,
    *,
    now: datetime,
) -> tuple[Course, tuple[Allowance | Revocation, ...], list[str]]:
    """Return the course, its allowances and revocations, and messages about what could not be read or parsed.

    `course_term` is course and term, `zone` is the time zone to use without a course file.
    """
    if course_term is None:
        return without_file("", "", zone, now), (), []
    reader = CourseReader(workspace, cache, folder_of(*course_term))
    course = reader.course() or without_file(*course_term, zone, now)
    return course, reader.entries(), reader.problems


def without_file(course: str, term: str, zone: tzinfo, now: datetime) -> Course:
    """Return a course for use without a course file; it has no groups, and its term is today."""
    today = now.astimezone(zone).date()
    return Course(course, term, "", Calendar(zone, today, today, 6), count_all_sessions=False)


class CourseReader:
    """Reads the folder of one course. If `workspace` is None, it reads only the cache.

    A course with time requests has a file that changes with the course file. With `trusts_version`, the course's folder
    is not listed while this file is unchanged. `problems` are messages about what could not be read or parsed.
    """

    def __init__(
        self,
        workspace: WorkspaceReader | None,
        cache: WorkspaceCache | None,
        folder: str,
        *,
        trusts_version: bool = False,
    ) -> None:
        self._workspace, self._cache, self._folder = workspace, cache, folder
        self._trusts_version = trusts_version
        self._listing: dict[str, FileInfo] | None = None
        self._request_files: FileList | None = None
        self._has_listed_requests = False
        self.problems: list[str] = []
        self.knows_all_allowances = True
        """False if `entries` could not read some of them."""

    @property
    def has_listed_folder(self) -> bool:
        """Whether the course's folder was listed."""
        return self._listing is not None

    def course(self) -> Course | None:
        """Return the course from the course file, or from the cached file if it is missing or unreadable; None if there
        is none.
        """
        path = f"{self._folder}/{FILE_NAME}"
        course = None
        version = self._list_requests_first(path)
        if self._trusts_version and (course := self._unchanged_course(path, version)):
            return course
        if self._workspace:
            try:
                listed = self._list_folder(self._workspace)
                course = self._parse_course(self._workspace, listed[path]) if path in listed else None
                if self._cache and course and version:
                    # The version file was listed before, so the course file is at least as new.
                    self._cache.store_file(version, listed[path].version)
            except (WorkspaceError, CourseError) as error:
                if self._cache is None and isinstance(error, WorkspaceError):
                    raise
                self.problems.append(f"{error}; the last known course file is used" if self._cache else str(error))
        known = self._cache.file(path) if self._cache and course is None else None
        if known:
            try:
                course = parse_course(known[1], path)
            except CourseError as error:
                self.problems.append(f"{error}; the limits in the settings are used")
        return course

    def _list_requests_first(self, path: str) -> FileInfo | None:
        """List the folder of time requests if the last known course file has them; return the version file."""
        known = self._cache.file(path) if self._cache and self._workspace else None
        with suppress(CourseError):
            if known and parse_course(known[1], path).requests:
                version = f"{self._folder}/{REQUESTS}/{COURSE_VERSION_FILE}"
                return next((file for file in self.request_files() or () if file.path == version), None)
        return None

    def _unchanged_course(self, path: str, version: FileInfo | None) -> Course | None:
        """Return the course from the cached file if the version file is the one with which it was read."""
        known = self._cache.file(path) if self._cache else None
        if not known or version is None or not self._cache:
            return None
        if self._cache.file(version.path) != (version.version, known[0]):
            return None
        with suppress(CourseError):
            return parse_course(known[1], path)
        return None

    def request_files(self) -> FileList | None:
        """Return the files in the folder of time requests, listed once; None if it cannot be listed."""
        if self._workspace and not self._has_listed_requests:
            self._has_listed_requests = True
            try:
                self._request_files = self._workspace.files(f"{self._folder}/{REQUESTS}")
            except WorkspaceError as error:
                self.problems.append(f"{error}; time requests are read at a later poll")
        return self._request_files

    def _list_folder(self, workspace: WorkspaceReader) -> dict[str, FileInfo]:
        """Return the files directly in the folder by path. The folder is listed only once."""
        if self._listing is None:
            self._listing = {file.path: file for file in workspace.files(self._folder)}
        return self._listing

    def _parse_course(self, workspace: WorkspaceReader, file: FileInfo) -> Course:
        """Parse the course file, and cache it if it is valid. Raises CourseError."""
        known = self._cache.file(file.path) if self._cache else None
        if known and known[0] == file.version:
            return parse_course(known[1], file.path)
        text = workspace.read(file.path)
        check_course(text, file.path)
        course = parse_course(text, file.path)
        if self._cache:
            self._cache.store_file(file, text)
        return course

    def entries(self) -> tuple[Allowance | Revocation, ...]:
        """Return every allowance and revocation, ordered by path.

        If a file cannot be read or parsed, its last valid content is used, if there is one.
        """
        cache = self._cache
        listed = self._list_files(f"{self._folder}/{ALLOWANCES}")
        known = {file.path: cache.file(file.path) for file in listed} if cache else {}
        entries: dict[str, Allowance | Revocation] = {}
        for file in listed:
            before = known.get(file.path)
            if before and file.version in ("", before[0]):
                self._add_entry(entries, file, before[1])
        changed = [file for file in listed if not _is_known(file, known.get(file.path))] if self._workspace else []
        workspace = self._workspace
        texts = in_parallel([partial(_read, workspace, file.path) for file in changed]) if workspace else []
        for file, text in zip(changed, texts, strict=True):
            before = known.get(file.path)
            if isinstance(text, WorkspaceError):
                if cache is None:
                    raise text
                self.problems.append(str(text))
                self.knows_all_allowances = False
            elif self._add_entry(entries, file, text) or before is None:
                # Invalid content is cached only if nothing is cached for the file, so that it is not read at each poll.
                if cache:
                    cache.store_file(file, text)
                continue
            if before and file.path not in entries:
                with suppress(AllowanceError):
                    entries[file.path] = parse_entry(before[1], file.path)
        return tuple(entries[file.path] for file in listed if file.path in entries)

    def _add_entry(self, entries: dict[str, Allowance | Revocation], file: FileInfo, text: str) -> bool:
        """Parse the text and add the entry; if it is invalid, add a problem and return False."""
        try:
            entries[file.path] = parse_entry(text, file.path)
        except AllowanceError as error:
            self.problems.append(str(error))
            return False
        return True

    def _list_files(self, folder: str) -> list[FileInfo]:
        """Return the files in a folder; if it cannot be listed, the files in the last listing, without versions."""
        if self._workspace:
            try:
                listed = self._workspace.files(folder)
                if self._cache and listed.is_complete:
                    self._cache.store_paths(folder, [file.path for file in listed])
                elif self._cache:
                    self.knows_all_allowances = False
                    # A malformed entry may stand for a file that was listed before.
                    paths = {file.path for file in listed}
                    return [*listed, *(FileInfo(p, "") for p in self._cache.paths(folder) if p not in paths)]
                return listed
            except WorkspaceError as error:
                if self._cache is None:
                    raise
                self.problems.append(f"{error}; the last known allowances are used")
                self.knows_all_allowances = False
        return [FileInfo(path, "") for path in self._cache.paths(folder)] if self._cache else []

    def settled(self) -> SettledTotals | None:
        """Return the settled totals from the file beside the course file; None if it is missing or invalid.

        Raises WorkspaceError.
        """
        path = f"{self._folder}/{SETTLED_FILE}"
        if self._workspace is None or path not in self._list_folder(self._workspace):
            return None
        try:
            return parse_settled(self._workspace.read(path), path)
        except SettledTotalsError as error:
            self.problems.append(str(error))
            return None

    def members(self) -> Members | None:
        """Return the members of the groups, from the cache if they cannot be read; None if they were never read."""
        if self._workspace:
            try:
                members = self._workspace.members()
                return self._cache.store_members(members) if self._cache else members
            except WorkspaceError as error:
                if self._cache is None:
                    raise
                self.problems.append(f"{error}; the last known members are used")
        return self._cache.members() if self._cache else None


def _is_known(file: FileInfo, before: tuple[str, str] | None) -> bool:
    return before is not None and file.version in ("", before[0])


def _read(workspace: WorkspaceReader, path: str) -> str | WorkspaceError:
    try:
        return workspace.read(path)
    except WorkspaceError as error:
        return error

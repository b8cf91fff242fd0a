"""Reads a course from the workspace: course file, allowances, group members. Needs no ledger.

With a cache, a file is read only if its version has changed; if reading fails, the cached state is used and a problem
added. Without a cache everything is read, and failures are raised.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, tzinfo
from functools import partial
from typing import Protocol

from enforcer.domain.allowances import Allowance, AllowanceError, Revocation, parse_entry
from enforcer.domain.course import Course, CourseError
from enforcer.domain.observations import DirectGrant, FileInfo, FileList, SeenCluster, ToldEvent
from enforcer.domain.quota import Calendar, Level
from enforcer.domain.settled_totals import SETTLED_FILE, Settled, SettledError, parse_settled
from enforcer.workspace.course_file import check_course, parse_course
from enforcer.workspace.errors import WorkspaceError
from enforcer.workspace.tasks import in_parallel
from labkit.course_file import ALLOWANCES, FILE_NAME, folder_of

Members = Mapping[str, frozenset[str]]
"""Lower-case addresses by group."""


class Source(Protocol):
    """The read operations of a workspace; each may raise WorkspaceError."""

    @property
    def caller(self) -> str:
        """The enforcer's own user; empty if not known."""
        ...

    def clusters(self, *, now: datetime) -> list[SeenCluster]: ...

    def exists(self, cluster_id: str) -> bool: ...

    def events(self, cluster_id: str, since: datetime | None) -> list[ToldEvent]: ...

    def level(self, cluster_id: str, group: str) -> Level | None: ...

    def grants(self, cluster_id: str) -> list[DirectGrant]: ...

    def files(self, folder: str) -> FileList: ...

    def read(self, path: str) -> str: ...

    def members(self) -> dict[str, frozenset[str]]: ...

    def take_problems(self) -> list[str]:
        """Return and clear the sentences about malformed entries since the last call."""
        ...


class Memory(Protocol):
    """Cache of files and members read earlier."""

    def file(self, path: str) -> tuple[str, str] | None:
        """Return version and content; None if it was never read."""
        ...

    def keep_file(self, file: FileInfo, content: str) -> None: ...

    def paths(self, folder: str) -> list[str]:
        """Return the files that the folder had when it was last listed."""
        ...

    def keep_paths(self, folder: str, paths: list[str]) -> None: ...

    def members(self) -> Members | None:
        """Return the members; None if they were never read."""
        ...

    def keep_members(self, members: Members) -> Members:
        """Store the members and return them with those of former groups."""
        ...


def read_folder(
    source: Source | None, memory: Memory, chosen: tuple[str, str] | None, zone: tzinfo, *, now: datetime
) -> tuple[Course, tuple[Allowance | Revocation, ...], list[str]]:
    """Return the course, its allowances and revocations, and sentences about what could not be read or parsed.

    `course_term` is course and term, `zone` the time zone of a course without a file.
    """
    if chosen is None:
        return without_file("", "", zone, now), (), []
    reader = CourseReader(source, memory, folder_of(*chosen))
    course = reader.course() or without_file(*chosen, zone, now)
    return course, reader.entries(), reader.problems


def without_file(course: str, term: str, zone: tzinfo, now: datetime) -> Course:
    """Return a course without a course file: without groups, its term is today."""
    today = now.astimezone(zone).date()
    return Course(course, term, "", Calendar(zone, today, today, 6), count_all_sessions=False)


class CourseReader:
    """Reads the folder of one course. If `workspace` is None, it reads only the cache.

    `problems` are sentences about what could not be read or parsed.
    """

    def __init__(self, source: Source | None, memory: Memory | None, folder: str) -> None:
        self._source, self._memory, self._folder = source, memory, folder
        self._listing: dict[str, FileInfo] | None = None
        self.problems: list[str] = []

    def course(self) -> Course | None:
        """Return the course of the course file, or of the cached one if it is missing or unreadable; None if there is
        none."""
        path = f"{self._folder}/{FILE_NAME}"
        course = None
        if self._source:
            try:
                listed = self._list_folder(self._source)
                course = self._parse_course(self._source, listed[path]) if path in listed else None
            except (WorkspaceError, CourseError) as error:
                if self._memory is None and isinstance(error, WorkspaceError):
                    raise
                self.problems.append(f"{error}; the last known course file is used" if self._memory else str(error))
        known = self._memory.file(path) if self._memory and course is None else None
        if known:
            try:
                course = parse_course(known[1], path)
            except CourseError as error:
                self.problems.append(f"{error}; the limits of the settings are used")
        return course

    def _list_folder(self, source: Source) -> dict[str, FileInfo]:
        """Return the files directly in the folder, by path. The folder is listed once."""
        if self._listing is None:
            self._listing = {file.path: file for file in source.files(self._folder)}
        return self._listing

    def _parse_course(self, source: Source, file: FileInfo) -> Course:
        """Parse the course file, and cache it if it is valid. Raises CourseError."""
        known = self._memory.file(file.path) if self._memory else None
        if known and known[0] == file.version:
            return parse_course(known[1], file.path)
        text = source.read(file.path)
        check_course(text, file.path)
        course = parse_course(text, file.path)
        if self._memory:
            self._memory.keep_file(file, text)
        return course

    def entries(self) -> tuple[Allowance | Revocation, ...]:
        """Return every allowance and revocation, ordered by path.

        If a file cannot be read or parsed, its last valid content is used, if there is one.
        """
        memory = self._memory
        listed = self._list_files(f"{self._folder}/{ALLOWANCES}")
        known = {file.path: memory.file(file.path) for file in listed} if memory else {}
        entries: dict[str, Allowance | Revocation] = {}
        for file in listed:
            before = known.get(file.path)
            if before and file.version in ("", before[0]):
                self._add_entry(entries, file, before[1])
        changed = [file for file in listed if not _is_known(file, known.get(file.path))] if self._source else []
        source = self._source
        texts = in_parallel([partial(_read, source, file.path) for file in changed]) if source else []
        for file, text in zip(changed, texts, strict=True):
            before = known.get(file.path)
            if isinstance(text, WorkspaceError):
                if memory is None:
                    raise text
                self.problems.append(str(text))
            elif self._add_entry(entries, file, text) or before is None:
                # An invalid text is cached only if nothing is cached for it, so that it is not read at each poll.
                if memory:
                    memory.keep_file(file, text)
                continue
            if before and file.path not in entries:
                with suppress(AllowanceError):
                    entries[file.path] = parse_entry(before[1], file.path)
        return tuple(entries[file.path] for file in listed if file.path in entries)

    def _add_entry(self, entries: dict[str, Allowance | Revocation], file: FileInfo, text: str) -> bool:
        """Parse the text and add the entry; return False and add a problem if it is invalid."""
        try:
            entries[file.path] = parse_entry(text, file.path)
        except AllowanceError as error:
            self.problems.append(str(error))
            return False
        return True

    def _list_files(self, folder: str) -> list[FileInfo]:
        """Return the files of a folder; those of the last listing, without versions, if it cannot be listed."""
        if self._source:
            try:
                listed = self._source.files(folder)
                if self._memory and listed.is_complete:
                    self._memory.keep_paths(folder, [file.path for file in listed])
                elif self._memory:
                    # A malformed entry may be a file that was listed before.
                    paths = {file.path for file in listed}
                    return [*listed, *(FileInfo(p, "") for p in self._memory.paths(folder) if p not in paths)]
                return listed
            except WorkspaceError as error:
                if self._memory is None:
                    raise
                self.problems.append(f"{error}; the last known allowances are used")
        return [FileInfo(path, "") for path in self._memory.paths(folder)] if self._memory else []

    def settled(self) -> Settled | None:
        """Return the totals of the last settlement from the file beside the course file; None if missing or invalid.

        Raises WorkspaceError.
        """
        path = f"{self._folder}/{SETTLED_FILE}"
        if self._source is None or path not in self._list_folder(self._source):
            return None
        try:
            return parse_settled(self._source.read(path), path)
        except SettledError as error:
            self.problems.append(str(error))
            return None

    def members(self) -> Members | None:
        """Return the members of the groups, the cached ones if they cannot be read; None if they were never read."""
        if self._source:
            try:
                members = self._source.members()
                return self._memory.keep_members(members) if self._memory else members
            except WorkspaceError as error:
                if self._memory is None:
                    raise
                self.problems.append(f"{error}; the last known members are used")
        return self._memory.members() if self._memory else None


def _is_known(file: FileInfo, before: tuple[str, str] | None) -> bool:
    return before is not None and file.version in ("", before[0])


def _read(source: Source, path: str) -> str | WorkspaceError:
    try:
        return source.read(path)
    except WorkspaceError as error:
        return error

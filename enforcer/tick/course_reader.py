"""EventBatch a course from the workspace: its file, its allowances, who is in which group. Needs no ledger.

With a memory, a file is read only if its folder lists another version, and what the workspace refuses is a problem
and counts as last seen. Without one everything is read, and a refusal is raised.
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
"""Addresses by group, lower case."""


class Source(Protocol):
    """What is read of the workspace; each call may raise WorkspaceError."""

    @property
    def caller(self) -> str:
        """As whom it is asked; empty if that is not known."""
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
        """Sentences about entries of answers that could not be read since this was last called."""
        ...


class Memory(Protocol):
    """What was read earlier."""

    def file(self, path: str) -> tuple[str, str] | None:
        """Version and content; None: it was never read."""
        ...

    def keep_file(self, file: FileInfo, content: str) -> None: ...

    def paths(self, folder: str) -> list[str]:
        """The files that the folder had when it was last listed."""
        ...

    def keep_paths(self, folder: str, paths: list[str]) -> None: ...

    def members(self) -> Members | None:
        """None: they were never read."""
        ...

    def keep_members(self, members: Members) -> Members:
        """Return them with those of groups that are gone."""
        ...


def read_folder(
    source: Source | None, memory: Memory, chosen: tuple[str, str] | None, zone: tzinfo, *, now: datetime
) -> tuple[Course, tuple[Allowance | Revocation, ...], list[str]]:
    """The course file, all allowances and revocations, and sentences about what could not be read or understood.

    `chosen` is course and term, `zone` that of a course without a file.
    """
    if chosen is None:
        return without_file("", "", zone, now), (), []
    reader = CourseReader(source, memory, folder_of(*chosen))
    course = reader.course() or without_file(*chosen, zone, now)
    return course, reader.entries(), reader.problems


def without_file(course: str, term: str, zone: tzinfo, now: datetime) -> Course:
    """A course of which nothing is known but its name; its term is today."""
    today = now.astimezone(zone).date()
    return Course(course, term, "", Calendar(zone, today, today, 6), count_all_sessions=False)


class CourseReader:
    """Reads one course's folder. `source` None reads the memory alone.

    `problems` are sentences about what could not be read or understood.
    """

    def __init__(self, source: Source | None, memory: Memory | None, folder: str) -> None:
        self._source, self._memory, self._folder = source, memory, folder
        self._listing: dict[str, FileInfo] | None = None
        self.problems: list[str] = []

    def course(self) -> Course | None:
        """The course file, as last seen if it is missing or cannot be read now; None: there is none to understand."""
        path = f"{self._folder}/{FILE_NAME}"
        course = None
        if self._source:
            try:
                listed = self._list_folder(self._source)
                course = self._parse_course(self._source, listed[path]) if path in listed else None
            except (WorkspaceError, CourseError) as error:
                if self._memory is None and isinstance(error, WorkspaceError):
                    raise
                self.problems.append(f"{error}; the last course file seen is used" if self._memory else str(error))
        known = self._memory.file(path) if self._memory and course is None else None
        if known:
            try:
                course = parse_course(known[1], path)
            except CourseError as error:
                self.problems.append(f"{error}; the limits of the settings are used")
        return course

    def _list_folder(self, source: Source) -> dict[str, FileInfo]:
        """The files directly in the folder, by path. Listed once."""
        if self._listing is None:
            self._listing = {file.path: file for file in source.files(self._folder)}
        return self._listing

    def _parse_course(self, source: Source, file: FileInfo) -> Course:
        """The course file, which is remembered only once it was understood. Raises CourseError."""
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
        """Every allowance and revocation, by path.

        A file that cannot be read or understood now counts as last understood, one that never was not at all.
        """
        memory = self._memory
        listed = self._listed(f"{self._folder}/{ALLOWANCES}")
        known = {file.path: memory.file(file.path) for file in listed} if memory else {}
        entries: dict[str, Allowance | Revocation] = {}
        for file in listed:
            before = known.get(file.path)
            if before and file.version in ("", before[0]):
                self._understand(entries, file, before[1])
        changed = [file for file in listed if not _is_known(file, known.get(file.path))] if self._source else []
        source = self._source
        texts = in_parallel([partial(_read, source, file.path) for file in changed]) if source else []
        for file, text in zip(changed, texts, strict=True):
            before = known.get(file.path)
            if isinstance(text, WorkspaceError):
                if memory is None:
                    raise text
                self.problems.append(str(text))
            elif self._understand(entries, file, text) or before is None:
                # A text that is no entry is remembered only in the place of nothing: it is not read at each poll.
                if memory:
                    memory.keep_file(file, text)
                continue
            if before and file.path not in entries:
                with suppress(AllowanceError):
                    entries[file.path] = parse_entry(before[1], file.path)
        return tuple(entries[file.path] for file in listed if file.path in entries)

    def _understand(self, entries: dict[str, Allowance | Revocation], file: FileInfo, text: str) -> bool:
        """Whether the text is an entry, which is added; else there is a problem."""
        try:
            entries[file.path] = parse_entry(text, file.path)
        except AllowanceError as error:
            self.problems.append(str(error))
            return False
        return True

    def _listed(self, folder: str) -> list[FileInfo]:
        """The files of a folder; without a version, if they are those that were listed last."""
        if self._source:
            try:
                listed = self._source.files(folder)
                if self._memory and listed.is_complete:
                    self._memory.keep_paths(folder, [file.path for file in listed])
                elif self._memory:
                    # An entry that cannot be read may be a file that was there before.
                    paths = {file.path for file in listed}
                    return [*listed, *(FileInfo(p, "") for p in self._memory.paths(folder) if p not in paths)]
                return listed
            except WorkspaceError as error:
                if self._memory is None:
                    raise
                self.problems.append(f"{error}; the allowances last seen are used")
        return [FileInfo(path, "") for path in self._memory.paths(folder)] if self._memory else []

    def settled(self) -> Settled | None:
        """The totals that the last settlement left beside the course file; None: there are none to understand.

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
        """Who is in which group, as last seen if that cannot be read now; None: it was never read."""
        if self._source:
            try:
                members = self._source.members()
                return self._memory.keep_members(members) if self._memory else members
            except WorkspaceError as error:
                if self._memory is None:
                    raise
                self.problems.append(f"{error}; members as last seen")
        return self._memory.members() if self._memory else None


def _is_known(file: FileInfo, before: tuple[str, str] | None) -> bool:
    return before is not None and file.version in ("", before[0])


def _read(source: Source, path: str) -> str | WorkspaceError:
    try:
        return source.read(path)
    except WorkspaceError as error:
        return error

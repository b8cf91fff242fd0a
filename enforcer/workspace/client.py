"""The Databricks workspace, as the enforcer needs it. The only module here that knows the SDK.

Everything it hands out is one of our own values; everything it raises is a `WorkspaceError` with the place in it.
"""

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from enforcer.domain.observations import DirectGrant, FileList, SeenCluster, ToldEvent
from enforcer.domain.quota import Level, level_of
from enforcer.domain.timestamps import to_millis
from enforcer.workspace.answers import (
    Malformed,
    cluster_in,
    entries_in,
    event_in,
    file_in,
    grants_in,
    object_in,
    readable,
    text_in,
    token_in,
)
from enforcer.workspace.errors import CutShort, Gone, NoCredential, NoFolder, OutOfTime, Unreachable, WorkspaceError
from enforcer.workspace.rate_limit import Pace
from enforcer.workspace.server_time import Stamp, instant_of
from labkit.clock import Deadline
from labkit.extras import sdk
from labkit.extras.sdk import (
    DatabricksError,
    InvalidParameterValue,
    LazyWorkspaceClient,
    NotFound,
    ResourceAlreadyExists,
    call_with_timeout,
    configure,
    failure_reason,
    identify,
)
from labkit.text import first_line
from labkit.workspace.choice import WorkspaceChoice
from labkit.workspace.expected import WorkspaceIdentity

CONNECT_SECONDS = 15
RETRY_SECONDS = 20
CLUSTERS, EVENTS = "/api/2.1/clusters/list", "/api/2.1/clusters/events"
DATE = "date"


class Several(list[str]):
    """Values of one parameter of a query, which repeats it; as a text they are separated by commas."""

    def __str__(self) -> str:
        return ",".join(self)


OTHERS: Mapping[str, Any] = {
    "page_size": 100,
    "filter_by.cluster_sources": Several(["API", "UI", "MODELS", "PIPELINE", "PIPELINE_MAINTENANCE", "SQL"]),
}
"""Of the list of clusters: all but those of jobs."""
JOBS: Mapping[str, Any] = {
    "page_size": 100,
    "filter_by.cluster_sources": Several(["JOB"]),
    "filter_by.cluster_states": Several(["PENDING", "RUNNING", "RESTARTING", "RESIZING", "TERMINATING"]),
}
"""Those of jobs that are not over."""
SCIM = "/api/2.0/preview/scim/v2"
EVENT_PAGE, SCIM_PAGE = 500, 10_000
MOST_PAGES = 1000
"""No list of a workspace has more; one that goes on is endless."""
FRESH_SECONDS = 10.0
"""A page of the list that is older is asked for again."""
LARGEST_FILE = 10 * 1024 * 1024
READING = 0.6
"""The share of a run's time in which everything is read; the rest is for what has to be done."""
EVENTS_OF_ONE = 0.25
"""The share of the time for reading that one cluster's events get."""
LIMITS = {
    "clusters": 100,
    "permissions/get": 100,
    "permissions/patch": 30,
    "scim": 4,
    "scim/delete": 20,
    "workspace/list": 100,
    "workspace/export": 60,
    "workspace/import": 30,
}
"""Requests a second that a workspace takes, by kind or by what kinds begin with."""
SHARE = 0.9
"""Of a limit that is ours; a deploy or a person may ask at the same time."""


def connect(choice: WorkspaceChoice, *, seconds: float = CONNECT_SECONDS) -> "Workspace":
    """The workspace of the choice. Raises NoCredential, and Unreachable within `seconds` and a moment."""

    def make() -> Workspace:
        client = LazyWorkspaceClient(configure(choice, http_seconds=10, retry_seconds=RETRY_SECONDS))
        workspace = Workspace(client, limits=LIMITS, shows_time=True)
        workspace.meet()
        return workspace

    try:
        return call_with_timeout(seconds, make, host=choice.host)
    except sdk.CredentialNotFound as error:
        raise NoCredential(str(error)) from None
    except Exception as error:  # noqa: BLE001 - the SDK raises many types
        shown = choice.host or "the workspace of the environment"
        is_refusal = isinstance(error, sdk.Unauthenticated | sdk.PermissionDenied | ValueError)
        advice = f"the credential of {choice.source}" if is_refusal else "DATABRICKS_HOST and the network"
        raise Unreachable(f"{shown} cannot be used: {failure_reason(error)}; check {advice}.") from None


class Workspace:
    """`client` is the SDK's, or as much of it; `caller` is who we are; `limits`, as LIMITS, are kept.

    `calls` counts requests by kind. `workspace_id` is empty if the workspace does not say it. With `shows_time` the
    time on the answers is looked at, and who we are is asked for when it is needed.
    """

    def __init__(
        self,
        client: LazyWorkspaceClient,
        caller: str = "",
        limits: Mapping[str, float] | None = None,
        workspace_id: str = "",
        *,
        shows_time: bool = False,
    ) -> None:
        self._client = client
        self.api = client.api_client
        self._caller = None if shows_time and not caller else caller
        self.workspace_id = workspace_id
        self._shows_time = shows_time
        self.stamps: list[Stamp] = []
        """The time on this tick's first answer and on its latest."""
        self._first_answer = 0.0
        self._first_page: Any = None
        """Of the list of clusters, read by `meet`."""
        self._met = 0.0
        self.is_rehearsal = False
        """The time is that of LAB_CLOCK, which may run at any speed."""
        self.lists_jobs = True
        """Whether the list of clusters includes those of jobs that run now."""
        self.job_clusters: frozenset[str] = frozenset()
        """Ids of the clusters of jobs that were listed last."""
        self.calls: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._problems: list[str] = []
        self._reading: Deadline | None = None
        self._paces = {kind: Pace(limit * SHARE) for kind, limit in (limits or {}).items()}

    def count(self, kind: str) -> None:
        """Note a request that is about to be sent, and wait until the limit of its kind lets it go."""
        with self._lock:
            self.calls[kind] += 1
        pace = self._paces.get(kind) or self._paces.get(kind.partition("/")[0])
        if pace:
            pace.wait()

    def meet(self) -> None:
        """Ask for the list of clusters: the answer says whether the workspace can be used, which one it is, and what
        time it is there. `clusters` goes on from it. Raises WorkspaceError, and from `connect` what the SDK raises.
        """
        if not self._shows_time or (self._first_page is not None and time.monotonic() < self._met + FRESH_SECONDS):
            return
        self.stamps = []
        self.count("clusters/list")
        answer: Any = self.api.do("GET", CLUSTERS, query=OTHERS, response_headers=[DATE, sdk.WORKSPACE_ID_HEADER])
        if isinstance(answer, dict):
            self.workspace_id = str(answer.pop(sdk.WORKSPACE_ID_HEADER, None) or self.workspace_id)
            self._stamp(answer.pop(DATE, None))
        self._first_page, self._met = answer, time.monotonic()

    def begin_tick(self) -> None:
        """As `meet`, with a WorkspaceError for whatever fails."""
        with place("the list of clusters"):
            self.meet()

    def _stamp(self, header: object) -> None:
        with self._lock:
            self._first_answer = self._first_answer if self.stamps else time.monotonic()
            after = timedelta(seconds=time.monotonic() - self._first_answer)
            self.stamps = [*self.stamps[:1], Stamp(instant_of(header), after)]

    @property
    def credential(self) -> str:
        """A digest of host and credential: who we are does not change without it. Empty if it is not known."""
        config = self.api._cfg
        used = [str(getattr(config, name, None) or "") for name in ("host", "token", "client_id", "azure_client_id")]
        return hashlib.sha256("\n".join(used).encode()).hexdigest()[:32] if any(used[1:]) else ""

    def remember_caller(self, caller: str) -> None:
        """Who we are, as it was asked for with this credential before."""
        self._caller = caller

    @property
    def known_caller(self) -> str | None:
        """Who we are, if that was asked for."""
        return self._caller

    @property
    def caller(self) -> str:
        """Who we are, an address or an application id; empty if that is not known."""
        if self._caller is None:
            self.count("scim/me")
            with place("the caller's account"):
                self._caller = identify(self.api)[1]
        return self._caller

    @property
    def host(self) -> str:
        return str(self.api._cfg.host)

    @property
    def identity(self) -> WorkspaceIdentity:
        return WorkspaceIdentity(self.host, self.workspace_id, self.caller)

    def date_header(self) -> str | None:
        """The time that the workspace puts on its answers."""
        self.count("scim/me")
        with place("the workspace"):
            answer: Any = self.api.do("GET", "/api/2.0/preview/scim/v2/Me", response_headers=["date"])
        return answer.get("date") if isinstance(answer, dict) else None

    @contextmanager
    def reading(self, deadline: Deadline) -> Iterator[None]:
        """Inside the block reading ends early enough to leave time for what has to be done.

        What would be read later raises OutOfTime, or CutShort with what was read until then.
        """
        self._reading = Deadline(deadline.remaining * READING)
        try:
            yield
        finally:
            self._reading = None

    def take_problems(self) -> list[str]:
        """Sentences about entries of answers that could not be read since this was last called."""
        with self._lock:
            taken, self._problems = self._problems, []
        return taken

    def clusters(self, *, now: datetime) -> list[SeenCluster]:
        """Every cluster the list shows: pinned, active, or stopped within 30 days. `now` is when we looked.

        Those of jobs are left out in the request, because there may be thousands that are over; where `lists_jobs`,
        those that run are asked for in another one.
        """
        with self._place("the list of clusters") as problems:
            entries = list(self._pages(CLUSTERS, "clusters", OTHERS, "clusters/list"))
            jobs = list(self._pages(CLUSTERS, "clusters", JOBS, "clusters/jobs")) if self.lists_jobs else []
            of_jobs = readable(jobs, lambda entry: cluster_in(entry, now, problems), problems)
            self.job_clusters = frozenset(cluster.id for cluster in of_jobs)
            others = readable(entries, lambda entry: cluster_in(entry, now, problems), problems)
            # By id: a service that does not know the filter answers with all of them twice.
            return list({cluster.id: cluster for cluster in (*of_jobs, *others)}.values())

    def exists(self, cluster_id: str) -> bool:
        """Whether the workspace still knows the cluster, which it may while the list no longer shows it."""
        with self._place(f"cluster {cluster_id}"):
            try:
                self._ask("clusters/get", "GET", "/api/2.1/clusters/get", query={"cluster_id": cluster_id})
            except (NotFound, InvalidParameterValue) as error:
                if not _is_unknown(error):
                    raise
                return False
            return True

    def events(self, cluster_id: str, since: datetime | None) -> list[ToldEvent]:
        """All events from `since` on, oldest first; types the SDK does not know are kept.

        Raises Gone for a cluster that the workspace does not know, CutShort if there was no time for all of them.
        """
        begun: dict[str, Any] = {"cluster_id": cluster_id, "order": "ASC"}
        if since is not None:
            begun["start_time"] = to_millis(since)
        told: list[ToldEvent] = []
        deadline = None if self._reading is None else Deadline(self._reading.budget * EVENTS_OF_ONE)
        with self._place(f"the events of cluster {cluster_id}") as problems:
            request: dict[str, Any] | None = begun | {"limit": EVENT_PAGE}
            asked: set[str] = set()
            while request:
                if asked and (
                    (deadline and not deadline.remaining) or len(asked) >= MOST_PAGES or str(request) in asked
                ):
                    raise CutShort(f"the events of cluster {cluster_id} have more pages than there was time for", told)
                asked.add(str(request))
                try:
                    page = object_in(self._ask("clusters/events", "POST", EVENTS, body=request))
                    told += readable(entries_in(page, "events"), partial(event_in, problems=problems), problems)
                    request = _next_events(page, begun)
                except (NotFound, InvalidParameterValue) as error:
                    if _is_unknown(error):
                        raise Gone(f"cluster {cluster_id} is unknown to the workspace") from None
                    raise
                except (OutOfTime, Malformed) as error:
                    if isinstance(error, Malformed) and not told:
                        raise
                    raise CutShort(f"the events of cluster {cluster_id}: {error}", told) from None
        return told

    def terminate(self, cluster_id: str) -> None:
        """Turn it off; its definition stays. One that is off stays off."""
        self.count("clusters/delete")
        with place(f"cluster {cluster_id}"):
            self.api.do("POST", "/api/2.1/clusters/delete", body={"cluster_id": cluster_id})

    def level(self, cluster_id: str, group: str) -> Level | None:
        """What the group's own entry on the cluster says; None: no entry, or one that is none of ours to change."""
        return level_of(group, self.grants(cluster_id))

    def grants(self, cluster_id: str) -> list[DirectGrant]:
        """Who was given what on the cluster itself."""
        with self._place(f"the permissions of cluster {cluster_id}"):
            return grants_in(self._ask("permissions/get", "GET", f"/api/2.0/permissions/clusters/{cluster_id}"))

    def set_level(self, cluster_id: str, group: str, level: Level) -> None:
        """Change the group's own entry, and no other."""
        self.count("permissions/patch")
        entry = {"group_name": group, "permission_level": level.value}
        with place(f"the permission of {group} on cluster {cluster_id}"):
            self.api.do("PATCH", f"/api/2.0/permissions/clusters/{cluster_id}", body={"access_control_list": [entry]})

    def files(self, folder: str) -> FileList:
        """The files directly in a workspace folder, by path; an absent folder has none."""
        with self._place(f"the folder {folder}") as problems:
            try:
                answer = self._ask("workspace/list", "GET", "/api/2.0/workspace/list", query={"path": folder})
            except NotFound:
                return FileList()
            entries = readable(entries_in(answer, "objects"), file_in, problems)
            found = FileList(sorted((file for file in entries if file), key=lambda file: file.path))
            found.is_complete = not problems
            return found

    def read(self, path: str) -> str:
        """The content of a workspace file."""
        self._require_time()
        self.count("workspace/export")
        with self._place(path), sdk.open_workspace_file(self.api, path) as stream:
            content: bytes = stream.read(LARGEST_FILE + 1)
            if len(content) > LARGEST_FILE:
                raise Malformed("it is larger than any file of a course")
            return content.decode("utf-8")

    def write(self, path: str, text: str, *, overwrite: bool = False) -> None:
        """Put a workspace file there. Raises WorkspaceError if it exists and is not to be overwritten, NoFolder."""
        self.count("workspace/import")
        with place(path):
            try:
                self._client.workspace.upload(path, text.encode(), format=sdk.raw_import_format(), overwrite=overwrite)
            except ResourceAlreadyExists:
                raise WorkspaceError(f"{path} exists already") from None
            except NotFound as error:
                raise NoFolder(f"{path}: {first_line(error)}") from None

    def make_folder(self, path: str) -> None:
        """Make the workspace folder and those above it, unless they exist."""
        self.count("workspace/mkdirs")
        with place(f"the folder {path}"):
            self.api.do("POST", "/api/2.0/workspace/mkdirs", body={"path": path})

    def members(self) -> dict[str, frozenset[str]]:
        """Addresses of the direct members of every group, by display name, lower case.

        A group whose members cannot be read is left out.
        """
        with self._place("the groups") as problems:
            groups = readable(self._scim("Groups", "id,displayName,members"), _group, problems)
        with self._place("the users") as problems:
            users = dict(readable(self._scim("Users", "id,userName"), _user, problems))
        return {name: frozenset(users[id] for id in ids if id in users) for name, ids in groups}

    def _scim(self, kind: str, attributes: str) -> list[Any]:
        found: list[Any] = []
        total = 1
        for _ in range(MOST_PAGES):
            query = {"attributes": attributes, "startIndex": len(found) + 1, "count": SCIM_PAGE}
            page = object_in(self._ask(f"scim/{kind.lower()}", "GET", f"{SCIM}/{kind}", query=query))
            entries = entries_in(page, "Resources")
            found += entries
            total = page.get("totalResults", 0)
            if not entries or not isinstance(total, int) or len(found) >= total:
                return found
        raise Malformed("there is no end of pages")

    def _pages(self, path: str, key: str, query: Mapping[str, Any], kind: str) -> Iterable[Any]:
        """The entries of all pages; of those that there is time for, and a problem."""
        found: list[Any] = []
        asked: set[str] = set()
        token = ""
        while True:
            try:
                page, self._first_page = self._first_page, None
                if page is None or asked or query is not OTHERS:
                    page = self._ask(kind, "GET", path, query={**query, **({"page_token": token} if token else {})})
            except OutOfTime as error:
                if not asked:
                    raise
                self._note([f"{error}; what comes after {len(found)} entries was not read"], path)
                return found
            found += entries_in(page, key)
            token = token_in(object_in(page), "next_page_token")
            if not token:
                return found
            if token in asked or len(asked) >= MOST_PAGES:
                self._note([f"there is no end of pages after {len(found)} entries"], path)
                return found
            asked.add(token)

    def _ask(self, kind: str, method: str, path: str, **sent: Any) -> Any:
        """The answer of the API, as JSON. Raises OutOfTime, and what the SDK raises."""
        self._require_time()
        self.count(kind)
        if not self._shows_time:
            return self.api.do(method, path, **sent)
        answer = self.api.do(method, path, response_headers=[DATE], **sent)
        if isinstance(answer, dict):
            self._stamp(answer.pop(DATE, None))
        return answer

    def _require_time(self) -> None:
        if self._reading is not None and not self._reading.remaining:
            raise OutOfTime("the time for reading is over")

    @contextmanager
    def _place(self, what: str) -> Iterator[list[str]]:
        """As `place`; the sentences that are added to the list become problems of this place."""
        problems: list[str] = []
        with place(what):
            yield problems
        self._note(problems, what)

    def _note(self, problems: list[str], what: str) -> None:
        if problems:
            more = f" (and {len(problems) - 1} more such entries)" if len(problems) > 1 else ""
            with self._lock:
                self._problems.append(f"{what}: {problems[0]}{more}")


@contextmanager
def place(what: str) -> Iterator[None]:
    """Turn what the SDK raises, and what an answer of an unexpected shape causes, into a WorkspaceError that names
    `what`."""
    try:
        yield
    except OutOfTime as error:
        raise OutOfTime(f"{what}: {error}") from None
    except (DatabricksError, TimeoutError, OSError, ValueError) as error:
        raise WorkspaceError(f"{what}: {first_line(error)}") from error
    except (AttributeError, LookupError, OverflowError, RecursionError, TypeError) as error:
        raise WorkspaceError(f"{what}: the answer has an unexpected shape ({type(error).__name__})") from error


def _is_unknown(error: DatabricksError) -> bool:
    """Whether a refusal says that there is no such cluster."""
    return isinstance(error, NotFound) or "does not exist" in str(error)


def _next_events(page: Mapping[str, Any], begun: Mapping[str, Any]) -> dict[str, Any] | None:
    """The request of the next page of events: by its token, or as servers before tokens wrote it."""
    if token := token_in(page, "next_page_token"):
        return {**begun, "page_token": token, "page_size": EVENT_PAGE}
    following = page.get("next_page")
    return object_in(following) if following else None


def _group(entry: dict[str, Any]) -> tuple[str, list[str]]:
    members = [object_in(member) for member in entries_in(entry, "members")]
    return text_in(entry, "displayName"), [text_in(member, "value") for member in members]


def _user(entry: dict[str, Any]) -> tuple[str, str]:
    return text_in(entry, "id"), text_in(entry, "userName").casefold()

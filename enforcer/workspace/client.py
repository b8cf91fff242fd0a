"""Client of the Databricks workspace. The only module of this package that uses the SDK directly.

It returns the enforcer's own types and raises a `WorkspaceError` that names the affected object.
"""

import base64
import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from enforcer.domain.observations import DirectGrant, FileInfo, FileList, ObservedCluster, RawEvent
from enforcer.domain.quota import Level, level_of
from enforcer.domain.timestamps import to_millis
from enforcer.workspace.errors import (
    AlreadyExistsError,
    ClusterNotFoundError,
    FileTooLargeError,
    FolderNotFoundError,
    MissingCredentialError,
    PartialReadError,
    ReadTimeoutError,
    UnreachableError,
    WorkspaceError,
)
from enforcer.workspace.rate_limit import RateLimiter
from enforcer.workspace.responses import (
    MalformedResponseError,
    parse_cluster,
    parse_entries,
    parse_event,
    parse_file,
    parse_grants,
    parse_list,
    parse_object,
    parse_page_token,
    parse_text,
)
from enforcer.workspace.server_time import ServerTimestamp, parse_date_header
from labkit.clock import Deadline
from labkit.course_file import ADMINS, BUILT_IN_GROUPS
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
OF_EVERYONE = BUILT_IN_GROUPS - {ADMINS}
"""Groups to which every user belongs."""


class RepeatedParameter(list[str]):
    """Values of a query parameter that is sent once for each value; `str` separates them by commas."""

    def __str__(self) -> str:
        return ",".join(self)


OTHERS: Mapping[str, Any] = {
    "page_size": 100,
    "filter_by.cluster_sources": RepeatedParameter(["API", "UI", "MODELS", "PIPELINE", "PIPELINE_MAINTENANCE", "SQL"]),
}
"""Query for the list of clusters without job clusters."""
JOBS: Mapping[str, Any] = {
    "page_size": 100,
    "filter_by.cluster_sources": RepeatedParameter(["JOB"]),
    "filter_by.cluster_states": RepeatedParameter(["PENDING", "RUNNING", "RESTARTING", "RESIZING", "TERMINATING"]),
}
"""Query for the list of job clusters that have not terminated."""
SCIM = "/api/2.0/preview/scim/v2"
EVENT_PAGE, SCIM_PAGE = 500, 10_000
MOST_PAGES = 1000
"""Maximum number of pages in a list; more pages would mean an endless list."""
FRESH_SECONDS = 10.0
"""Maximum age of the first page of the cluster list; an older page is requested again."""
LARGEST_FILE = 10 * 1024 * 1024
"""Maximum size of a workspace file, in bytes."""
READING = 0.6
"""Share of a run's time for reading; the rest is for carrying out actions."""
EVENTS_OF_ONE = 0.25
"""Share of the reading time that the events of one cluster may take."""
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
"""Rate limits of a workspace in requests per second, by kind of request or the first part of the kind."""
SHARE = 0.9
"""Share of a rate limit that the enforcer uses; a deployment or a person may send requests at the same time."""


def connect(
    choice: WorkspaceChoice,
    *,
    seconds: float = CONNECT_SECONDS,
    environ: Mapping[str, str] | None = None,
    connections: int | None = None,
) -> "Workspace":
    """Connect to the chosen workspace. Raises MissingCredentialError, or UnreachableError after about `seconds`.

    `environ` replaces the environment of the process; `connections` is the maximum number of connections.
    """

    def make() -> Workspace:
        settings = configure(
            choice, http_seconds=10, retry_seconds=RETRY_SECONDS, environ=environ, connections=connections
        )
        workspace = Workspace(LazyWorkspaceClient(settings), limits=LIMITS, shows_time=True)
        workspace.probe()
        return workspace

    try:
        return call_with_timeout(seconds, make, host=choice.host)
    except sdk.CredentialNotFound as error:
        raise MissingCredentialError(str(error)) from None
    except Exception as error:  # noqa: BLE001 - the SDK raises many types
        shown = choice.host or "the workspace in the environment"
        is_refusal = isinstance(error, sdk.Unauthenticated | sdk.PermissionDenied | ValueError)
        advice = f"the credential of {choice.source}" if is_refusal else "DATABRICKS_HOST and the network"
        raise UnreachableError(f"{shown} cannot be used: {failure_reason(error)}; check {advice}.") from None


def rate_limiters(limits: Mapping[str, float] = LIMITS) -> Mapping[str, RateLimiter]:
    """Return new rate limiters for one workspace, by kind of request."""
    return {kind: RateLimiter(limit * SHARE) for kind, limit in limits.items()}


class Workspace:
    """A workspace and the requests that the enforcer sends to it.

    `client` is the SDK's client or a substitute; `caller` is the enforcer's own user; `limits` are rate limits like
    `LIMITS`. `calls` counts requests by kind. `workspace_id` is empty if the workspace does not provide it. With
    `shows_time` the `Date` headers of responses are recorded, and the caller is requested only when needed.
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
        self.api = client.api_client
        self._caller = None if shows_time and not caller else caller
        self.workspace_id = workspace_id
        self._shows_time = shows_time
        self.server_timestamps: list[ServerTimestamp] = []
        """Times in the first and the latest response of this tick."""
        self._first_answer = 0.0
        self._first_page: Any = None
        """First page of the list of clusters, read by `probe`."""
        self._probed_at = 0.0
        self.is_rehearsal = False
        """Whether LAB_CLOCK provides the time, which may run at any speed."""
        self.lists_job_clusters = True
        """Whether the list of clusters includes running job clusters."""
        self.job_clusters: frozenset[str] = frozenset()
        """Ids of the job clusters in the latest list."""
        self.ungrouped_users: frozenset[str] | None = None
        """Lower-case addresses of the users in no group that `members` found last; None if it was not called or users
        were unreadable."""
        self.calls: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._problems: list[str] = []
        self._read_deadline: Deadline | None = None
        self._limiters = rate_limiters(limits or {})

    def share_limiters(self, limiters: Mapping[str, RateLimiter]) -> None:
        """Replace the rate limiters by those of other clients of the same workspace."""
        self._limiters = limiters

    def before_request(self, kind: str) -> None:
        """Count a request that is about to be sent, and wait if the rate limit for its kind requires it."""
        with self._lock:
            self.calls[kind] += 1
        limiter = self._limiters.get(kind) or self._limiters.get(kind.partition("/")[0])
        if limiter:
            limiter.wait()

    def probe(self) -> None:
        """Request the first page of the list of clusters, which `clusters` then uses.

        The response shows whether the workspace can be used, its id and its time. Raises the SDK's exceptions.
        """
        if not self._shows_time or (
            self._first_page is not None and time.monotonic() < self._probed_at + FRESH_SECONDS
        ):
            return
        self.server_timestamps = []
        self.before_request("clusters/list")
        answer: Any = self.api.do("GET", CLUSTERS, query=OTHERS, response_headers=[DATE, sdk.WORKSPACE_ID_HEADER])
        if isinstance(answer, dict):
            self.workspace_id = str(answer.pop(sdk.WORKSPACE_ID_HEADER, None) or self.workspace_id)
            self._stamp(answer.pop(DATE, None))
        self._first_page, self._probed_at = answer, time.monotonic()

    def begin_tick(self) -> None:
        """Call `probe` at the start of a tick. Raises WorkspaceError."""
        with errors_about("the list of clusters"):
            self.probe()

    def _stamp(self, header: object) -> None:
        with self._lock:
            self._first_answer = self._first_answer if self.server_timestamps else time.monotonic()
            after = timedelta(seconds=time.monotonic() - self._first_answer)
            self.server_timestamps = [*self.server_timestamps[:1], ServerTimestamp(parse_date_header(header), after)]

    @property
    def credential(self) -> str:
        """Digest of host and credential; as long as it is the same, the caller is the same. Empty if not known."""
        config = self.api._cfg
        used = [str(getattr(config, name, None) or "") for name in ("host", "token", "client_id", "azure_client_id")]
        return hashlib.sha256("\n".join(used).encode()).hexdigest()[:32] if any(used[1:]) else ""

    def remember_caller(self, caller: str) -> None:
        """Set the caller, which is known from an earlier request with the same credential."""
        self._caller = caller

    @property
    def known_caller(self) -> str | None:
        """The caller, if it has been requested; else None."""
        return self._caller

    @property
    def caller(self) -> str:
        """The enforcer's own user, an address or an application id; empty if not known."""
        if self._caller is None:
            self.before_request("scim/me")
            with errors_about("the caller's account"):
                self._caller = identify(self.api)[1]
        return self._caller

    @property
    def host(self) -> str:
        return str(self.api._cfg.host)

    @property
    def identity(self) -> WorkspaceIdentity:
        return WorkspaceIdentity(self.host, self.workspace_id, self.caller)

    def date_header(self) -> str | None:
        """Request the `Date` header of the workspace's responses."""
        self.before_request("scim/me")
        with errors_about("the workspace"):
            answer: Any = self.api.do("GET", "/api/2.0/preview/scim/v2/Me", response_headers=["date"])
        return answer.get("date") if isinstance(answer, dict) else None

    @contextmanager
    def read_budget(self, deadline: Deadline) -> Iterator[None]:
        """Limit the reading time inside the block, to leave time for actions.

        Later reads raise ReadTimeoutError, or PartialReadError with the events read so far.
        """
        self._read_deadline = Deadline(deadline.remaining * READING)
        try:
            yield
        finally:
            self._read_deadline = None

    def pop_problems(self) -> list[str]:
        """Return and clear the messages about malformed entries since the last call."""
        with self._lock:
            taken, self._problems = self._problems, []
        return taken

    def clusters(self, *, now: datetime) -> list[ObservedCluster]:
        """Return every cluster in the list: pinned, active, or stopped within 30 days. `now` is the time of the
        request.

        The request excludes job clusters, because thousands may have terminated; if `lists_job_clusters`, a second
        request lists the running ones.
        """
        with self._collect_problems("the list of clusters") as problems:
            entries = list(self._pages(CLUSTERS, "clusters", OTHERS, "clusters/list"))
            jobs = list(self._pages(CLUSTERS, "clusters", JOBS, "clusters/jobs")) if self.lists_job_clusters else []
            of_jobs = parse_entries(jobs, lambda entry: parse_cluster(entry, now, problems), problems)
            self.job_clusters = frozenset(cluster.id for cluster in of_jobs)
            others = parse_entries(entries, lambda entry: parse_cluster(entry, now, problems), problems)
            # Keyed by id, because a service that does not support the filter returns all clusters twice.
            return list({cluster.id: cluster for cluster in (*of_jobs, *others)}.values())

    def exists(self, cluster_id: str) -> bool:
        """Return whether the cluster exists, which it may although the list no longer contains it."""
        with self._collect_problems(f"cluster {cluster_id}"):
            try:
                self._request("clusters/get", "GET", "/api/2.1/clusters/get", query={"cluster_id": cluster_id})
            except (NotFound, InvalidParameterValue) as error:
                if not _is_unknown(error):
                    raise
                return False
            return True

    def events(self, cluster_id: str, since: datetime | None) -> list[RawEvent]:
        """Return all events from `since` on, oldest first, including event types that the SDK does not know.

        Raises ClusterNotFoundError, or PartialReadError if there was not enough time for all events.
        """
        first_request: dict[str, Any] = {"cluster_id": cluster_id, "order": "ASC"}
        if since is not None:
            first_request["start_time"] = to_millis(since)
        events: list[RawEvent] = []
        deadline = None if self._read_deadline is None else Deadline(self._read_deadline.budget * EVENTS_OF_ONE)
        with self._collect_problems(f"the events of cluster {cluster_id}") as problems:
            request: dict[str, Any] | None = first_request | {"limit": EVENT_PAGE}
            requested: set[str] = set()
            while request:
                if requested and (
                    (deadline and not deadline.remaining) or len(requested) >= MOST_PAGES or str(request) in requested
                ):
                    raise PartialReadError(
                        f"the events of cluster {cluster_id} have more pages than could be read in time", events
                    )
                requested.add(str(request))
                try:
                    page = parse_object(self._request("clusters/events", "POST", EVENTS, body=request))
                    events += parse_entries(
                        parse_list(page, "events"), partial(parse_event, problems=problems), problems
                    )
                    request = _next_events(page, first_request)
                except (NotFound, InvalidParameterValue) as error:
                    if _is_unknown(error):
                        raise ClusterNotFoundError(f"cluster {cluster_id} is unknown to the workspace") from None
                    raise
                except (ReadTimeoutError, MalformedResponseError) as error:
                    if isinstance(error, MalformedResponseError) and not events:
                        raise
                    raise PartialReadError(f"the events of cluster {cluster_id}: {error}", events) from None
        return events

    def terminate(self, cluster_id: str) -> None:
        """Stop the cluster and keep its definition; a stopped cluster stays stopped."""
        self.before_request("clusters/delete")
        with errors_about(f"cluster {cluster_id}"):
            self.api.do("POST", "/api/2.1/clusters/delete", body={"cluster_id": cluster_id})

    def level(self, cluster_id: str, group: str) -> Level | None:
        """Return the level in the group's own permission entry; None without an entry, or for a level that must not be
        changed.
        """
        return level_of(group, self.grants(cluster_id))

    def grants(self, cluster_id: str) -> list[DirectGrant]:
        """Return the direct grants on the cluster."""
        with self._collect_problems(f"the permissions of cluster {cluster_id}"):
            return parse_grants(self._request("permissions/get", "GET", f"/api/2.0/permissions/clusters/{cluster_id}"))

    def set_level(self, cluster_id: str, group: str, level: Level) -> None:
        """Change the group's own permission entry and no other."""
        self.before_request("permissions/patch")
        entry = {"group_name": group, "permission_level": level.value}
        with errors_about(f"the permission of {group} on cluster {cluster_id}"):
            self.api.do("PATCH", f"/api/2.0/permissions/clusters/{cluster_id}", body={"access_control_list": [entry]})

    def files(self, folder: str) -> FileList:
        """Return the files directly in a workspace folder, sorted by path; empty if the folder does not exist."""
        with self._collect_problems(f"the folder {folder}") as problems:
            try:
                answer = self._request("workspace/list", "GET", "/api/2.0/workspace/list", query={"path": folder})
            except NotFound:
                return FileList()
            entries = parse_entries(parse_list(answer, "objects"), parse_file, problems)
            found = FileList(sorted((file for file in entries if file), key=lambda file: file.path))
            found.is_complete = not problems
            return found

    def read(self, path: str) -> str:
        """Return the content of a workspace file."""
        with errors_about(path):
            return self.read_bytes(path, most=LARGEST_FILE).decode("utf-8")

    def read_bytes(self, path: str, *, most: int) -> bytes:
        """Return the content of a workspace file. Raises FileTooLargeError if it has more than `most` bytes."""
        self.require_time()
        self.before_request("workspace/export")
        with errors_about(path), sdk.open_workspace_file(self.api, path) as stream:
            content: bytes = stream.read(most + 1)
        if len(content) > most:
            raise FileTooLargeError(f"{path}: it is larger than {most} bytes, the maximum for this file")
        return content

    def write(self, path: str, text: str, *, overwrite: bool = False) -> None:
        """Write a workspace file. Raises FolderNotFoundError, or AlreadyExistsError if it exists and may not change."""
        self.before_request("workspace/import")
        content = base64.b64encode(text.encode()).decode()
        body = {"path": path, "format": "RAW", "content": content, "overwrite": overwrite}
        with errors_about(path):
            try:
                # The SDK retries this request after a 429, but not an upload as a form.
                self.api.do("POST", "/api/2.0/workspace/import", body=body)
            except ResourceAlreadyExists:
                raise AlreadyExistsError(f"{path} already exists") from None
            except NotFound as error:
                raise FolderNotFoundError(f"{path}: {first_line(error)}") from None

    def create(self, path: str, text: str) -> None:
        """Create a workspace file. Raises FolderNotFoundError, or AlreadyExistsError if another one exists."""
        try:
            self.write(path, text)
        except AlreadyExistsError:
            # A retry after a lost response finds the file of the first attempt.
            if not self._has_content(path, text):
                raise

    def _has_content(self, path: str, text: str) -> bool:
        try:
            return self.read(path) == text
        except WorkspaceError:
            return False

    def let_edit(self, file: FileInfo, group: str) -> None:
        """Let a group read and edit a workspace file; other permissions do not change."""
        self.before_request("permissions/patch")
        entry = {"group_name": group, "permission_level": "CAN_EDIT"}
        with errors_about(f"the permission of {group} on {file.path}"):
            self.api.do("PATCH", f"/api/2.0/permissions/files/{file.object_id}", body={"access_control_list": [entry]})

    def file_address(self, object_id: str) -> str:
        """Return the URL of a workspace file."""
        number = f"?o={self.workspace_id}" if self.workspace_id else ""
        return f"{self.host.rstrip('/')}/editor/files/{object_id}{number}"

    def make_folder(self, path: str) -> None:
        """Create the workspace folder and its parents, unless they exist."""
        self.before_request("workspace/mkdirs")
        with errors_about(f"the folder {path}"):
            self.api.do("POST", "/api/2.0/workspace/mkdirs", body={"path": path})

    def members(self) -> dict[str, frozenset[str]]:
        """Map the display name of every group to the lower-case addresses of its direct members.

        A group whose members cannot be read is omitted.
        """
        with self._collect_problems("the groups") as group_problems:
            groups = parse_entries(self._scim("Groups", "id,displayName,members"), _group, group_problems)
        with self._collect_problems("the users") as user_problems:
            users = dict(parse_entries(self._scim("Users", "id,userName"), _user, user_problems))
            grouped = {id for name, ids in groups if name not in OF_EVERYONE for id in ids}
            is_known = not group_problems and not user_problems
            ungrouped = frozenset(users[id] for id in users.keys() - grouped)
            self.ungrouped_users = ungrouped if is_known else None
        return {name: frozenset(users[id] for id in ids if id in users) for name, ids in groups}

    def _scim(self, kind: str, attributes: str) -> list[Any]:
        found: list[Any] = []
        total = 1
        for _ in range(MOST_PAGES):
            query = {"attributes": attributes, "startIndex": len(found) + 1, "count": SCIM_PAGE}
            page = parse_object(self._request(f"scim/{kind.lower()}", "GET", f"{SCIM}/{kind}", query=query))
            entries = parse_list(page, "Resources")
            found += entries
            total = page.get("totalResults", 0)
            if not entries or not isinstance(total, int) or len(found) >= total:
                return found
        raise MalformedResponseError("the list of pages does not end")

    def _pages(self, path: str, key: str, query: Mapping[str, Any], kind: str) -> Iterable[Any]:
        """Return the entries of all pages; if the time runs out, add a problem and return the entries read so far."""
        found: list[Any] = []
        requested: set[str] = set()
        token = ""
        while True:
            try:
                page, self._first_page = self._first_page, None
                if page is None or requested or query is not OTHERS:
                    page = self._request(kind, "GET", path, query={**query, **({"page_token": token} if token else {})})
            except ReadTimeoutError as error:
                if not requested:
                    raise
                self._add_problems([f"{error}; only the first {len(found)} entries were read"], path)
                return found
            found += parse_list(page, key)
            token = parse_page_token(parse_object(page), "next_page_token")
            if not token:
                return found
            if token in requested or len(requested) >= MOST_PAGES:
                self._add_problems([f"the list of pages does not end after {len(found)} entries"], path)
                return found
            requested.add(token)

    def _request(self, kind: str, method: str, path: str, **sent: Any) -> Any:
        """Send a request and return the JSON response. Raises ReadTimeoutError, and the SDK's exceptions."""
        self.require_time()
        self.before_request(kind)
        if not self._shows_time:
            return self.api.do(method, path, **sent)
        answer = self.api.do(method, path, response_headers=[DATE], **sent)
        if isinstance(answer, dict):
            self._stamp(answer.pop(DATE, None))
        return answer

    def require_time(self) -> None:
        """Raise ReadTimeoutError if the time limit for reading is reached."""
        if self._read_deadline is not None and not self._read_deadline.remaining:
            raise ReadTimeoutError("the time limit for reading is reached")

    @contextmanager
    def _collect_problems(self, what: str) -> Iterator[list[str]]:
        """Like `errors_about`; messages added to the list become problems, prefixed with `what`."""
        problems: list[str] = []
        with errors_about(what):
            yield problems
        self._add_problems(problems, what)

    def _add_problems(self, problems: list[str], what: str) -> None:
        if problems:
            more = f" (and {len(problems) - 1} more such entries)" if len(problems) > 1 else ""
            with self._lock:
                self._problems.append(f"{what}: {problems[0]}{more}")


@contextmanager
def errors_about(what: str) -> Iterator[None]:
    """Turn exceptions of the SDK, and exceptions caused by a response of unexpected structure, into a WorkspaceError
    about `what`.
    """
    try:
        yield
    except ReadTimeoutError as error:
        raise ReadTimeoutError(f"{what}: {error}") from None
    except (DatabricksError, TimeoutError, OSError, ValueError) as error:
        raise WorkspaceError(f"{what}: {first_line(error)}") from error
    except (AttributeError, LookupError, OverflowError, RecursionError, TypeError) as error:
        raise WorkspaceError(f"{what}: the response has an unexpected structure ({type(error).__name__})") from error


def _is_unknown(error: DatabricksError) -> bool:
    """Return whether an error means that the cluster does not exist."""
    return isinstance(error, NotFound) or "does not exist" in str(error)


def _next_events(page: Mapping[str, Any], first_request: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the request for the next page of events, by token or in the format of older servers."""
    if token := parse_page_token(page, "next_page_token"):
        return {**first_request, "page_token": token, "page_size": EVENT_PAGE}
    following = page.get("next_page")
    return parse_object(following) if following else None


def _group(entry: dict[str, Any]) -> tuple[str, list[str]]:
    members = [parse_object(member) for member in parse_list(entry, "members")]
    return parse_text(entry, "displayName"), [parse_text(member, "value") for member in members]


def _user(entry: dict[str, Any]) -> tuple[str, str]:
    return parse_text(entry, "id"), parse_text(entry, "userName").casefold()

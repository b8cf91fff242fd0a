"""Requests to handlers without HTTP: no faults, no tokens, no request log."""

from collections.abc import Mapping
from urllib.parse import unquote

from emulator.api.errors import not_implemented
from emulator.api.routing import DeferredResponse, Request, Response, Router, parse_query
from emulator.base.content import EMPTY, Content
from emulator.models.scim import ServicePrincipal, User
from emulator.state.workspace import EmulatedWorkspace


def send_request(
    workspace: EmulatedWorkspace,
    router: Router,
    method: str,
    path: str,
    content: Content = EMPTY,
    *,
    caller: User | ServicePrincipal | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Run due tasks, then handle a request by `caller`, by default the administrator.

    `path` is percent-encoded and may contain a query. Raises ApiError for an error response.
    """
    raw_path, _, query = path.partition("?")
    found = router.find(method, raw_path)
    if found is None:
        raise not_implemented(method, path)
    route, parameters = found
    request = Request(
        workspace=workspace,
        method=method,
        path=unquote(raw_path),
        query=parse_query(query),
        headers=dict(headers or {}),
        content=content,
        now=workspace.catch_up(),
        parameters=parameters,
        _caller=caller or workspace.administrator,
    )
    answer = route.handler(request)
    if isinstance(answer, DeferredResponse):
        answer = answer.respond(request)
    return answer if isinstance(answer, Response) else Response(200, answer)

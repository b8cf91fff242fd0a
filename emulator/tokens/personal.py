"""`/api/2.0/token` and `/api/2.0/token-management`: the caller's and all users' personal access tokens."""

from typing import Any

from emulator.api.errors import ApiError, denied, invalid, missing
from emulator.api.routing import Request, Routes
from emulator.models.scim import ServicePrincipal, User
from emulator.models.tokens import Token
from emulator.permissions.rights import has_permission, require_admin

TOKENS_OBJECT = "/authorization/tokens"
"""The object whose permissions control the use of tokens."""
MAX_TOKENS = 600
"""Maximum number of tokens per owner."""
DAY_SECONDS = 86400

routes = Routes()


@routes.post("/api/2.0/token/create")
def create(request: Request) -> dict[str, Any]:
    return _issue(request, request.caller)


@routes.get("/api/2.0/token/list")
def list_own(request: Request) -> dict[str, Any]:
    own = _tokens_of(request, request.caller.id)
    return {"token_infos": [_info(token) for token in own if token.is_valid(request.now)]}


@routes.post("/api/2.0/token/delete")
def delete_own(request: Request) -> dict[str, Any]:
    token = _token(request, str(request.required("token_id")))
    if token.owner_id != request.caller.id:
        # The response does not reveal whether a different user has this token.
        raise _unknown(token.token_id)
    request.workspace.state.tokens.delete(token)
    return {}


@routes.get("/api/2.0/token-management/tokens")
def list_all(request: Request) -> dict[str, Any]:
    require_admin(request)
    tokens = list(request.workspace.state.tokens.personal_tokens())
    creator_id, creator_name = request.argument("created_by_id"), request.argument("created_by_username")
    if creator_id:
        tokens = [token for token in tokens if token.created_by == creator_id]
    if creator_name:
        wanted = creator_name.casefold()
        tokens = [token for token in tokens if _name(request, token.created_by).casefold() == wanted]
    return {"token_infos": [_managed_info(request, token) for token in tokens]}


@routes.get("/api/2.0/token-management/tokens/{id}")
def show(request: Request) -> dict[str, Any]:
    require_admin(request)
    return {"token_info": _managed_info(request, _token(request, request.parameters["id"]))}


@routes.delete("/api/2.0/token-management/tokens/{id}")
def delete(request: Request) -> dict[str, Any]:
    require_admin(request)
    request.workspace.state.tokens.delete(_token(request, request.parameters["id"]))
    return {}


@routes.post("/api/2.0/token-management/on-behalf-of/tokens")
def create_on_behalf(request: Request) -> dict[str, Any]:
    require_admin(request)
    application_id = str(request.required("application_id"))
    principal = request.workspace.state.directory.find_service_principal(application_id)
    if principal is None:
        raise missing(f"Service principal with application ID {application_id} does not exist.")
    return _issue(request, principal, managed=True)


def _issue(request: Request, owner: User | ServicePrincipal, managed: bool = False) -> dict[str, Any]:
    settings = request.workspace.state.settings
    if settings.conf.get("enableTokensConfig", "true").lower() == "false":
        raise ApiError(400, "FEATURE_DISABLED", "Personal access tokens are disabled in this workspace.")
    if not has_permission(request.workspace, owner.id, "authorization/tokens", TOKENS_OBJECT, "CAN_USE"):
        raise denied(f"{owner.name} does not have permission to use tokens.")
    if len(_tokens_of(request, owner.id)) >= MAX_TOKENS:
        text = f"The number of tokens of {owner.name} exceeds the limit of {MAX_TOKENS}."
        raise ApiError(400, "QUOTA_EXCEEDED", text)
    value, token = request.workspace.state.tokens.issue(
        owner.id,
        request.now,
        comment=_comment(request.body.get("comment")),
        lifetime_seconds=_lifetime(request.body.get("lifetime_seconds"), settings.max_token_days()),
        created_by=request.caller.id,
    )
    return {"token_value": value, "token_info": _managed_info(request, token) if managed else _info(token)}


def _comment(given: Any) -> str:
    if given is not None and not isinstance(given, str):
        raise invalid(f"comment must be text, not {given!r}.")
    return given or ""


def _lifetime(given: Any, longest_days: int | None) -> int:
    """Return the lifetime in seconds; -1 means unlimited. Raises 400 if it is invalid, or longer than permitted."""
    if given is None or given == 0:
        seconds = -1
    elif isinstance(given, bool) or not isinstance(given, int) or given < -1:
        raise invalid(f"lifetime_seconds must be a number of seconds, not {given!r}.")
    else:
        seconds = given
    if longest_days is not None and not 0 < seconds <= longest_days * DAY_SECONDS:
        text = f"lifetime_seconds must be at most {longest_days * DAY_SECONDS}: tokens live {longest_days} days here."
        raise invalid(text)
    return seconds


def _tokens_of(request: Request, owner_id: str) -> list[Token]:
    return [token for token in request.workspace.state.tokens.personal_tokens() if token.owner_id == owner_id]


def _token(request: Request, token_id: str) -> Token:
    token = request.workspace.state.tokens.find_by_id(token_id)
    if token is None:
        raise _unknown(token_id)
    return token


def _unknown(token_id: str) -> ApiError:
    return missing(f"Token with id {token_id} does not exist.")


def _info(token: Token) -> dict[str, Any]:
    return {
        "token_id": token.token_id,
        "creation_time": token.created_at,
        "expiry_time": token.expires_at,
        "comment": token.comment,
    }


def _managed_info(request: Request, token: Token) -> dict[str, Any]:
    return _info(token) | {
        "created_by_id": int(token.created_by),
        "created_by_username": _name(request, token.created_by),
        "owner_id": int(token.owner_id),
        "workspace_id": int(request.workspace.state.workspace_id),
    }


def _name(request: Request, principal_id: str) -> str:
    principal = request.workspace.state.directory.principal(principal_id)
    return principal.name if isinstance(principal, User | ServicePrincipal) else ""

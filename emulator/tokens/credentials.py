"""Service principals' secrets, and their exchange for access tokens."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from emulator.api.errors import ApiError, invalid, missing
from emulator.api.routing import Request, Response, Routes
from emulator.base.clock import to_iso
from emulator.models.scim import ServicePrincipal
from emulator.models.tokens import OAUTH_SECONDS, ClientSecret, digest_of
from emulator.permissions.rights import require_admin

SECRETS = "/api/2.0/accounts/servicePrincipals/{id}/credentials/secrets"
MAX_LIFETIME_SECONDS = 730 * 86400
"""Maximum and default lifetime of a secret, in seconds."""
MAX_SECRETS = 5
"""Maximum number of secrets per service principal."""
PAGE = 100

routes = Routes()


@routes.post(SECRETS)
def create(request: Request) -> dict[str, Any]:
    principal = _principal(request)
    tokens = request.workspace.state.tokens
    if len(tokens.secrets_of(principal.id, request.now)) >= MAX_SECRETS:
        text = f"Service principal {principal.application_id} has {MAX_SECRETS} secrets already; delete one first."
        raise ApiError(400, "RESOURCE_EXHAUSTED", text)
    seconds = _lifetime(request.body.get("lifetime"))
    value = "dose" + secrets.token_hex(16)
    secret = ClientSecret(
        id=request.workspace.state.ids.uuid("client-secret", principal.id),
        service_principal_id=principal.id,
        digest=digest_of(value),
        shown_hash=hashlib.sha256(b"shown:" + value.encode()).hexdigest(),
        created_at=request.now,
        expires_at=request.now + seconds * 1000,
    )
    tokens.client_secrets[secret.id] = secret
    return _info(secret) | {"secret": value}


@routes.get(SECRETS)
def list_secrets(request: Request) -> dict[str, Any]:
    principal = _principal(request)
    found = request.workspace.state.tokens.secrets_of(principal.id, request.now)
    start, size = request.number("page_token", 0), request.number("page_size", PAGE) or PAGE
    following = start + size
    return {
        "secrets": [_info(secret) for secret in found[start:following]],
        "next_page_token": str(following) if following < len(found) else "",
    }


@routes.delete(SECRETS + "/{secret_id}")
def delete(request: Request) -> dict[str, Any]:
    principal = _principal(request)
    secret = request.workspace.state.tokens.client_secrets.get(request.parameters["secret_id"])
    if secret is None or secret.service_principal_id != principal.id:
        text = f"Secret {request.parameters['secret_id']} of service principal {principal.id} does not exist."
        raise missing(text)
    del request.workspace.state.tokens.client_secrets[secret.id]
    return {}


@routes.get("/oidc/.well-known/oauth-authorization-server", "/oidc/.well-known/openid-configuration", public=True)
def discover(request: Request) -> dict[str, Any]:
    issuer = f"{request.workspace.options.url}/oidc"
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/v1/authorize",
        "token_endpoint": f"{issuer}/v1/token",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }


@routes.post("/oidc/v1/token", public=True)
def exchange(request: Request) -> Response:
    """Handle the client-credentials grant. Errors have the OAuth format (RFC 6749)."""
    form = {name: values[0] for name, values in parse_qs(request.raw.decode("utf-8", "replace")).items()}
    if form.get("grant_type") != "client_credentials":
        return _oauth_error(400, "unsupported_grant_type", "Only client_credentials is supported.")
    client_id, client_secret = _client(request.headers.get("authorization", ""), form)
    principal = request.workspace.state.directory.find_service_principal(client_id)
    if principal is None or not principal.active or not _secret_matches(request, principal, client_secret):
        return _oauth_error(401, "invalid_client", "Client authentication failed")
    return Response(
        200,
        {
            "access_token": request.workspace.state.tokens.issue_access(principal.id, request.now),
            "token_type": "Bearer",
            "expires_in": OAUTH_SECONDS,
            "scope": form.get("scope", "all-apis"),
        },
    )


def _client(authorization: str, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    client_id, _, client_secret = text.partition(":")
    return unquote_plus(client_id), unquote_plus(client_secret)


def _secret_matches(request: Request, principal: ServicePrincipal, client_secret: str) -> bool:
    digest = digest_of(client_secret)
    known = request.workspace.state.tokens.secrets_of(principal.id, request.now)
    return any(hmac.compare_digest(secret.digest, digest) for secret in known)


def _oauth_error(status: int, error: str, description: str) -> Response:
    return Response(status, {"error": error, "error_description": description})


def _principal(request: Request) -> ServicePrincipal:
    require_admin(request)
    principal = request.workspace.state.directory.service_principals.get(request.parameters["id"])
    if principal is None:
        raise missing(f"Service principal with id {request.parameters['id']} does not exist.")
    return principal


def _lifetime(given: Any) -> int:
    """Return the seconds in a duration such as `2592000s`. Raises 400 for anything else, or for more than two years."""
    if given in (None, ""):
        return MAX_LIFETIME_SECONDS
    match = re.fullmatch(r"(\d{1,9})s", given) if isinstance(given, str) else None
    if match is None or not 0 < int(match[1]) <= MAX_LIFETIME_SECONDS:
        raise invalid(f"lifetime must be a duration such as 2592000s, at most {MAX_LIFETIME_SECONDS}s, not {given!r}.")
    return int(match[1])


def _info(secret: ClientSecret) -> dict[str, Any]:
    return {
        "id": secret.id,
        "secret_hash": secret.shown_hash,
        "status": "ACTIVE",
        "create_time": to_iso(secret.created_at),
        "update_time": to_iso(secret.created_at),
        "expire_time": to_iso(secret.expires_at),
    }

"""Tokens and client secrets, stored as digests, so that state and state file contain no usable credential."""

import hashlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from emulator.base.clock import Millis

OAUTH_SECONDS = 3600
"""Lifetime of an access token from a client-credentials grant, in seconds."""


@dataclass
class Token:
    token_id: str
    digest: str
    owner_id: str
    comment: str
    created_at: Millis
    expires_at: Millis
    """-1 means never."""
    oauth: bool = False
    """Whether the token is from a client-credentials grant. It works like any other token, but is not listed."""
    created_by: str = ""
    """Id of the requester, who is the owner, except for a token on behalf of a service principal."""

    def is_valid(self, now: Millis) -> bool:
        # Clients renew access tokens by the machine's clock, so the machine's clock decides, not the emulator's.
        shown = _machine_millis() if self.oauth else now
        return self.expires_at < 0 or shown < self.expires_at


@dataclass
class ClientSecret:
    """A secret that a service principal exchanges for access tokens."""

    id: str
    service_principal_id: str
    digest: str
    shown_hash: str
    created_at: Millis
    expires_at: Millis


@dataclass
class Tokens:
    by_digest: dict[str, Token] = field(default_factory=dict)
    client_secrets: dict[str, ClientSecret] = field(default_factory=dict)
    """By id."""

    def issue(
        self,
        owner_id: str,
        now: Millis,
        comment: str = "",
        lifetime_seconds: int = -1,
        oauth: bool = False,
        created_by: str | None = None,
    ) -> tuple[str, Token]:
        """Create a token; return its value, which is not stored, and its record. The value is random, even with a
        seed."""
        value = ("eyJ" if oauth else "dapi") + secrets.token_hex(16)
        digest = digest_of(value)
        begins = _machine_millis() if oauth else now
        expires_at = -1 if lifetime_seconds < 0 else begins + lifetime_seconds * 1000
        token = Token(digest, digest, owner_id, comment, now, expires_at, oauth, created_by or owner_id)
        self.by_digest[digest] = token
        return value, token

    def issue_access(self, owner_id: str, now: Millis) -> str:
        """Return a new access token, and remove expired ones, which nobody deletes."""
        self.by_digest = {
            digest: token for digest, token in self.by_digest.items() if not token.oauth or token.is_valid(now)
        }
        return self.issue(owner_id, now, lifetime_seconds=OAUTH_SECONDS, oauth=True)[0]

    def find(self, value: str, now: Millis) -> Token | None:
        """Return the token's record if it is valid now, else None."""
        token = self.by_digest.get(digest_of(value))
        return token if token and token.is_valid(now) else None

    def personal_tokens(self) -> Iterator[Token]:
        """Yield the tokens that users created and can delete, oldest first."""
        return (token for token in self.by_digest.values() if not token.oauth)

    def find_by_id(self, token_id: str) -> Token | None:
        return next((token for token in self.personal_tokens() if token.token_id == token_id), None)

    def delete(self, token: Token) -> None:
        del self.by_digest[token.digest]

    def secrets_of(self, service_principal_id: str, now: Millis) -> list[ClientSecret]:
        """Return the valid secrets of a service principal, oldest first."""
        return [
            secret
            for secret in self.client_secrets.values()
            if secret.service_principal_id == service_principal_id and now < secret.expires_at
        ]

    def remove_owner(self, owner_id: str) -> None:
        self.by_digest = {digest: token for digest, token in self.by_digest.items() if token.owner_id != owner_id}
        self.client_secrets = {
            id: secret for id, secret in self.client_secrets.items() if secret.service_principal_id != owner_id
        }


def digest_of(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _machine_millis() -> Millis:
    return int(time.time() * 1000)

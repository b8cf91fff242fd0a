"""Tokens, by their digest: the state and its file never hold one that could be used."""

import hashlib
import secrets
from dataclasses import dataclass, field

from emulator.clock import Millis


@dataclass
class Token:
    token_id: str
    digest: str
    owner_id: str
    comment: str
    created_at: Millis
    expires_at: Millis
    """-1: never."""
    oauth: bool = False
    """Made by a client-credentials grant: works like any other but is not listed."""


@dataclass
class Tokens:
    by_digest: dict[str, Token] = field(default_factory=dict)

    def issue(
        self,
        owner_id: str,
        now: Millis,
        comment: str = "",
        lifetime_seconds: int = -1,
        oauth: bool = False,
    ) -> tuple[str, Token]:
        """A new token: its value, which is told only here, and its record. Always random, whatever the seed."""
        value = ("eyJ" if oauth else "dapi") + secrets.token_hex(16)
        digest = _digest(value)
        expires_at = -1 if lifetime_seconds < 0 else now + lifetime_seconds * 1000
        token = Token(digest, digest, owner_id, comment, now, expires_at, oauth)
        self.by_digest[digest] = token
        return value, token

    def find(self, value: str, now: Millis) -> Token | None:
        """The record of a token that is valid now."""
        token = self.by_digest.get(_digest(value))
        return token if token and (token.expires_at < 0 or now < token.expires_at) else None

    def forget_owner(self, owner_id: str) -> None:
        self.by_digest = {digest: token for digest, token in self.by_digest.items() if token.owner_id != owner_id}


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()

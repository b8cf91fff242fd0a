"""An emulated workspace: its state, clock and options."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from emulator.base.clock import Clock, Millis, to_millis
from emulator.base.ids import Ids
from emulator.generated_files.homes import GeneratedTree, generated_tree
from emulator.models.scim import ADMINS, Group, ServicePrincipal, User
from emulator.models.tokens import Token
from emulator.state.options import Options
from emulator.state.state import WorkspaceState


class EmulatedWorkspace:
    """A workspace with this state.

    Without a state it is empty: it has no users, groups or folders until it is seeded.
    """

    def __init__(self, options: Options, state: WorkspaceState | None = None) -> None:
        self.options = options
        self.clock = Clock(options.start, options.speed)
        self._startup_token: Token | None = None
        self.state = state or self._new_state()
        if state:
            self.clock.reset(max(state.clock, self.clock.now()))
            has_catalog = "auto" if state.unity_catalog.automatic else "none"
            self.options = replace(options, files=self.generated_tree.shape.name, unity_catalog=has_catalog)

    def clear(self) -> None:
        """Empty the workspace, keep the workspace id, and reset the clock to its start."""
        workspace_id = self.state.workspace_id
        self.clock.reset(to_millis(self.options.start or datetime.now(UTC)))
        self.state = self._new_state()
        self.state.workspace_id = workspace_id

    def administrator_tokens(self) -> list[Token]:
        """Return the administrator's tokens, and the token from `issue_startup_token` even if its owner was deleted."""
        owner = self.state.directory.find_user(self.options.admin)
        kept = [token for token in self.state.tokens.by_digest.values() if owner and token.owner_id == owner.id]
        return [*kept, self._startup_token] if self._startup_token else kept

    def restore_administrator_tokens(self, tokens: Iterable[Token]) -> None:
        """Make these tokens valid, with the administrator as owner."""
        for token in tokens:
            token.owner_id = self.administrator.id
            self.state.tokens.by_digest[token.digest] = token

    def issue_startup_token(self) -> str:
        """Return a new token for the administrator, for the ready line."""
        value, self._startup_token = self.state.tokens.issue(self.administrator.id, self.clock.now(), "emulator")
        return value

    @property
    def administrator(self) -> User:
        """The initial administrator; created again if deleted or renamed."""
        directory = self.state.directory
        user = directory.find_user(self.options.admin)
        if user is None:
            number = str(self.state.ids.number("user", self.options.admin))
            user = User(id=number, user_name=self.options.admin, display_name="Administrator")
            directory.add(user)
        admins = directory.find_group(ADMINS)
        if admins and user.id not in admins.members:
            admins.members.append(user.id)
        return user

    @property
    def account_id(self) -> str:
        """The id of the account to which the workspace belongs, a UUID."""
        digest = hashlib.sha256(f"account of {self.state.workspace_id}".encode()).digest()
        return str(UUID(bytes=digest[:16], version=4))

    @property
    def generated_tree(self) -> GeneratedTree:
        """The generated files."""
        return self.state.objects.generated_tree or generated_tree("none", self.options.seed or "0")

    def catch_up(self) -> Millis:
        """Run all due tasks; return the current time."""
        now = self.clock.now()
        self.state.scheduler.run_due(self, now)
        return now

    def transition(self, steps: float = 1.0) -> Millis:
        """Return the milliseconds of `steps` transitions."""
        return int(self.options.transition_seconds * 1000 * steps)

    def authenticate(self, value: str, now: Millis) -> User | ServicePrincipal | None:
        """Return the owner of the token; None if it is unknown or expired, or its owner is deleted or deactivated."""
        token = self.state.tokens.find(value, now)
        return self._owner(token) if token else None

    def _owner(self, token: Token) -> User | ServicePrincipal | None:
        owner = self.state.directory.principal(token.owner_id)
        return owner if owner and not isinstance(owner, Group) and owner.active else None

    def _new_state(self) -> WorkspaceState:
        seed = self.options.seed if self.options.seed is not None else secrets.token_hex(16)
        number = int.from_bytes(hashlib.sha256(f"{seed}:workspace".encode()).digest()[:6], "big")
        return WorkspaceState(workspace_id=str(10**15 + number * 11), ids=Ids(seed), clock=self.clock.now())

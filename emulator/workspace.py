"""One emulated workspace: its state, its clock and how it was asked to be."""

import hashlib
import secrets
from typing import TYPE_CHECKING

from emulator import services
from emulator.clock import Clock, Millis
from emulator.ids import Ids
from emulator.options import Options
from emulator.scim.models import Group, ServicePrincipal, User
from emulator.state import State

if TYPE_CHECKING:
    from emulator.tokens.models import Token


class Workspace:
    """Furnished as new, or as `state` has it."""

    def __init__(self, options: Options, state: State | None = None) -> None:
        self.options = options
        self.clock = Clock(options.start, options.speed)
        self.state = state or self._new_state()
        if state:
            self.clock.restart(max(state.clock, self.clock.now()))
        else:
            services.furnish(self)

    def reset(self) -> None:
        """Furnish as new, with the same workspace id. Tokens of the administrator stay valid."""
        admin_tokens = [
            token for token in self.state.tokens.by_digest.values() if token.owner_id == self.administrator.id
        ]
        workspace_id = self.state.workspace_id
        self.state = self._new_state()
        self.state.workspace_id = workspace_id
        services.furnish(self)
        for token in admin_tokens:
            token.owner_id = self.administrator.id
            self.state.tokens.by_digest[token.digest] = token

    @property
    def administrator(self) -> User:
        """The one every workspace has from the start."""
        user = self.state.directory.user_named(self.options.admin)
        assert user is not None, "the administrator was deleted"
        return user

    def catch_up(self) -> Millis:
        """Let everything happen that is due by now; return now."""
        now = self.clock.now()
        self.state.agenda.carry_out(self, now)
        return now

    def transition(self, steps: float = 1.0) -> Millis:
        """How long a change takes that is `steps` ordinary ones long."""
        return int(self.options.transition_seconds * 1000 * steps)

    def authenticate(self, value: str, now: Millis) -> "User | ServicePrincipal | None":
        """Whose token this is; None for one that is unknown, expired, or of somebody who is gone or deactivated."""
        token = self.state.tokens.find(value, now)
        return self._owner(token) if token else None

    def _owner(self, token: "Token") -> "User | ServicePrincipal | None":
        owner = self.state.directory.principal(token.owner_id)
        return owner if owner and not isinstance(owner, Group) and owner.active else None

    def _new_state(self) -> State:
        seed = self.options.seed if self.options.seed is not None else secrets.token_hex(16)
        number = int.from_bytes(hashlib.sha256(f"{seed}:workspace".encode()).digest()[:6], "big")
        return State(workspace_id=str(10**15 + number * 11), ids=Ids(seed), clock=self.clock.now())

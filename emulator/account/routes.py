"""Routes of the account API at the workspace URL."""

from emulator.account import assignments, scim

routes = [*scim.routes, *assignments.routes]

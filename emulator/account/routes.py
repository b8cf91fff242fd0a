"""The routes of the account's API at the workspace's address."""

from emulator.account import assignments, scim

routes = [*scim.routes, *assignments.routes]

"""HTTP of `scim`."""

from emulator.routing import Routes

routes = Routes()

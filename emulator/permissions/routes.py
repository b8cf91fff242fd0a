"""HTTP of `permissions`."""

from emulator.routing import Routes

routes = Routes()

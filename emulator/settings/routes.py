"""HTTP of `settings`."""

from emulator.routing import Routes

routes = Routes()

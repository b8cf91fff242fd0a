"""HTTP of `tokens`."""

from emulator.routing import Routes

routes = Routes()

"""HTTP of `clusters`."""

from emulator.routing import Routes

routes = Routes()

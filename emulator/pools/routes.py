"""HTTP of `pools`."""

from emulator.routing import Routes

routes = Routes()

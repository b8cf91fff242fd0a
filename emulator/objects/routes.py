"""HTTP of `objects`."""

from emulator.routing import Routes

routes = Routes()

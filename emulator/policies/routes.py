"""HTTP of `policies`."""

from emulator.routing import Routes

routes = Routes()

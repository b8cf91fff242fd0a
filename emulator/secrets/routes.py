"""HTTP of `secrets`."""

from emulator.routing import Routes

routes = Routes()

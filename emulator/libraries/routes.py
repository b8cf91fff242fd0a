"""HTTP of `libraries`."""

from emulator.routing import Routes

routes = Routes()

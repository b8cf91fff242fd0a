"""HTTP of `dbfs`."""

from emulator.routing import Routes

routes = Routes()

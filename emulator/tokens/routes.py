"""HTTP handlers for tokens."""

from emulator.tokens import credentials, personal

routes = [*personal.routes, *credentials.routes]

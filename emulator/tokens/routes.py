"""HTTP handlers of tokens."""

from emulator.tokens import credentials, personal

routes = [*personal.routes, *credentials.routes]

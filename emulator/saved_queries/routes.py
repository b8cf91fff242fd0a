"""HTTP handlers of saved queries and alerts."""

from emulator.saved_queries import alerts, queries

routes = [*queries.routes, *alerts.routes]

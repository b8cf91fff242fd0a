"""HTTP handlers of saved queries and alerts, in the current and the older API."""

from emulator.saved_queries import alerts, older_alerts, older_queries, queries

routes = [*queries.routes, *alerts.routes, *older_queries.routes, *older_alerts.routes]

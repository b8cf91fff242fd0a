"""The HTTP handlers that saved queries and alerts have in common: list, create, get, update and trash."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.api.routing import Request, Routes
from emulator.models.sql.saved_queries import SavedObject, SavedType
from emulator.saved_queries import records


@dataclass(frozen=True)
class Resource:
    """A type of saved object and its API."""

    type: SavedType
    path: str
    fields: records.Fields
    """Names and types of the fields in requests."""
    check: Callable[[Request, Mapping[str, Any]], None]
    """Raises the API's error for invalid values."""
    describe: Callable[[Request, SavedObject], dict[str, Any]]
    """Returns the object as the API's response."""

    @property
    def routes(self) -> Routes:
        routes = Routes()
        routes.get(self.path)(self.list)
        routes.post(self.path)(self.create)
        routes.get(self.path + "/{id}")(self.show)
        routes.patch(self.path + "/{id}")(self.update)
        routes.delete(self.path + "/{id}")(self.delete)
        return routes

    def list(self, request: Request) -> dict[str, Any]:
        """List the objects that the caller may read, without their folders."""

        def entry(saved: SavedObject) -> dict[str, Any]:
            return {name: value for name, value in self.describe(request, saved).items() if name != "parent_path"}

        return records.page(request, self.type, entry)

    def create(self, request: Request) -> dict[str, Any]:
        sent, renames = records.sent_object(request, self.type), records.wants_free_name(request)
        saved = records.create(request, self.type, sent, self.fields, self.check, renames=renames)
        return self.describe(request, saved)

    def show(self, request: Request) -> dict[str, Any]:
        return self.describe(request, records.find(request, self.type, request.parameters["id"], "CAN_READ"))

    def update(self, request: Request) -> dict[str, Any]:
        saved = records.find(request, self.type, request.parameters["id"], "CAN_EDIT")
        sent, renames = records.sent_object(request, self.type), records.wants_free_name(request)
        changed = records.masked(request, sent, self.fields)
        records.update(request, saved, sent, changed, self.fields, self.check, renames=renames)
        return self.describe(request, saved)

    def delete(self, request: Request) -> dict[str, Any]:
        """Move the object to the trash, which keeps it for 30 days."""
        return records.move_to_trash(request, self.type, request.parameters["id"])

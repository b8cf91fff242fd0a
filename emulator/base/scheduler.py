"""What is going to happen and when: the emulator's only notion of something taking time.

An entry is plain data (kind and arguments), so that the agenda survives a restart with the rest of the state.
Entries happen in the order they are due, each at its own instant, before the next request is looked at;
one that happens may enter others.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from emulator.base.clock import Millis

TaskHandler = Callable[..., None]
"""Called as `happening(workspace, at, **arguments)`."""

_handlers: dict[str, TaskHandler] = {}


def task_handler(kind: str) -> Callable[[TaskHandler], TaskHandler]:
    """Decorate the function that carries out entries of this kind, such as `"clusters.running"`."""

    def register(function: TaskHandler) -> TaskHandler:
        _handlers[kind] = function
        return function

    return register


@dataclass(order=True)
class ScheduledTask:
    due: Millis
    number: int
    kind: str = field(compare=False)
    arguments: dict[str, Any] = field(compare=False)


@dataclass
class Scheduler:
    entries: list[ScheduledTask] = field(default_factory=list)
    next_number: Annotated[int, Field(alias="entered")] = 0

    def schedule(self, due: Millis, kind: str, **arguments: Any) -> None:
        """`arguments` are JSON values. Two entries due at once happen in the order they were entered."""
        heapq.heappush(self.entries, ScheduledTask(due, self.next_number, kind, arguments))
        self.next_number += 1

    def cancel(self, kind: str, **arguments: Any) -> None:
        """Strike every entry of this kind whose arguments include these."""
        self.entries = [
            entry
            for entry in self.entries
            if entry.kind != kind or any(entry.arguments.get(name) != value for name, value in arguments.items())
        ]
        heapq.heapify(self.entries)

    def run_due(self, workspace: object, until: Millis) -> None:
        """Let everything happen that is due at `until` or before."""
        while self.entries and self.entries[0].due <= until:
            entry = heapq.heappop(self.entries)
            _handlers[entry.kind](workspace, entry.due, **entry.arguments)

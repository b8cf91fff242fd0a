"""Tasks that run at an instant of the emulator's clock. Anything that takes time is such a task.

A task is plain data (kind and arguments), so it survives a restart with the rest of the state. Due tasks run in order,
each at its own instant, before the next request is handled; a task may schedule others.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from emulator.base.clock import Millis

TaskHandler = Callable[..., None]
"""Called as `handler(workspace, at, **arguments)`."""

_handlers: dict[str, TaskHandler] = {}


def task_handler(kind: str) -> Callable[[TaskHandler], TaskHandler]:
    """Register the decorated function for tasks of this kind, such as `"clusters.change"`."""

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
        """Add a task. `arguments` must be JSON values. Tasks due at the same instant run in the order in which they
        were added."""
        heapq.heappush(self.entries, ScheduledTask(due, self.next_number, kind, arguments))
        self.next_number += 1

    def cancel(self, kind: str, **arguments: Any) -> None:
        """Remove all tasks of this kind whose arguments include these."""
        self.entries = [
            entry
            for entry in self.entries
            if entry.kind != kind or any(entry.arguments.get(name) != value for name, value in arguments.items())
        ]
        heapq.heapify(self.entries)

    def run_due(self, workspace: object, until: Millis) -> None:
        """Run all tasks that are due at or before `until`."""
        while self.entries and self.entries[0].due <= until:
            entry = heapq.heappop(self.entries)
            _handlers[entry.kind](workspace, entry.due, **entry.arguments)

"""Runs slow tasks in parallel."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")
WORKERS = 16


def in_parallel(tasks: Iterable[Callable[[], T]], *, workers: int = WORKERS) -> list[T]:
    """Return the results in order. After all tasks have finished, raise the exception of the first one that failed."""
    tasks = list(tasks)
    if len(tasks) < 2:
        return [task() for task in tasks]
    with ThreadPoolExecutor(max_workers=min(workers, len(tasks))) as pool:
        futures = [_submit(pool, task) for task in tasks]
        wait(futures)
        return [future.result() for future in futures]


def ordered(tasks: Iterable[Callable[[], T]], *, workers: int = WORKERS) -> Iterator[T]:
    """Yield the results in order, each as soon as it is available, so that the caller can process it while others are
    running.

    Raises a task's exception in place of its result.
    """
    tasks = list(tasks)
    if len(tasks) < 2:
        yield from (task() for task in tasks)
        return
    with ThreadPoolExecutor(max_workers=min(workers, len(tasks))) as pool:
        for future in [_submit(pool, task) for task in tasks]:
            yield future.result()


def _submit(pool: ThreadPoolExecutor, task: Callable[[], T]) -> Future[T]:
    # With the caller's context, log lines of the task have the lab's name.
    return pool.submit(copy_context().run, task)

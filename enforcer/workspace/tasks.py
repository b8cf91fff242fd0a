"""Several slow things at once."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")
WORKERS = 16


def in_parallel(tasks: Iterable[Callable[[], T]], *, workers: int = WORKERS) -> list[T]:
    """The results in order. Raises what the first task that failed raised, once all are through."""
    tasks = list(tasks)
    if len(tasks) < 2:
        return [task() for task in tasks]
    with ThreadPoolExecutor(max_workers=min(workers, len(tasks))) as pool:
        futures = [pool.submit(task) for task in tasks]
        wait(futures)
        return [future.result() for future in futures]


def in_turn(tasks: Iterable[Callable[[], T]], *, workers: int = WORKERS) -> Iterator[T]:
    """The results in order, each as soon as it is there: what is done with one costs no time while others are out.

    Raises what a task raised when its turn comes.
    """
    tasks = list(tasks)
    if len(tasks) < 2:
        yield from (task() for task in tasks)
        return
    with ThreadPoolExecutor(max_workers=min(workers, len(tasks))) as pool:
        for future in [pool.submit(task) for task in tasks]:
            yield future.result()

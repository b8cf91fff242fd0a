"""File sizes with a heavy-tailed distribution and a sum in closed form. Pure."""

from dataclasses import dataclass
from functools import cached_property

_STEPS = 64
_STEEP_STEPS = 16
"""Number of final steps in which sizes grow by half per step; in earlier steps they grow by an eighth."""


@dataclass(frozen=True)
class SizeDistribution:
    """`count` sizes by rank, from the smallest to about `largest` bytes; the mean is about a twentieth of `largest`."""

    count: int
    largest: int
    smallest: int = 0

    def size_at(self, rank: int) -> int:
        step = rank * _STEPS // self.count
        return self._bounds[step] + (rank - self._firsts[step]) * self._rises[step]

    @cached_property
    def total(self) -> int:
        """The sum of all sizes."""
        total = 0
        for step in range(_STEPS):
            here = self._firsts[step + 1] - self._firsts[step]
            total += here * self._bounds[step] + self._rises[step] * here * (here - 1) // 2
        return total

    @cached_property
    def _bounds(self) -> list[int]:
        """The first size of each step, and the end of the last step."""
        bounds = [self.largest]
        for step in range(_STEPS - 1):
            bounds.append(bounds[-1] * 2 // 3 if step < _STEEP_STEPS else bounds[-1] * 8 // 9)
        bounds.append(0)
        return [max(self.smallest, bound) for bound in reversed(bounds)]

    @cached_property
    def _firsts(self) -> list[int]:
        """The first rank of each step."""
        return [-(-step * self.count // _STEPS) for step in range(_STEPS + 1)]

    @cached_property
    def _rises(self) -> list[int]:
        """The size difference between neighbouring ranks in each step."""
        return [
            (self._bounds[step + 1] - self._bounds[step]) // max(1, self._firsts[step + 1] - self._firsts[step])
            for step in range(_STEPS)
        ]

"""Faults on request: which request meets one is decided here, how it feels is `app`'s business."""

import random
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, get_args

Kind = Literal["429", "500", "503", "504", "reset", "hang", "truncate", "latency"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass
class Rule:
    """One fault for some requests."""

    match: str = "*"
    """Method and path with wildcards, such as `POST /api/2.1/clusters/*`."""
    kind: Kind = "503"
    rate: float = 1.0
    """The share of the matching requests that meet it."""
    retry_after: float | None = None
    """Seconds in the header of that name; None: no header. For `latency` and `hang`: how long."""
    after: int = 0
    """So many matching requests are spared first."""
    count: int | None = None
    """So many requests meet it at the most; None: no end."""


@dataclass
class _Tally:
    seen: int = 0
    met: int = 0


class Faults:
    """The rules in force. The first one that applies is met; `latency` adds up with another."""

    def __init__(self, seed: str | None = None) -> None:
        self._random = random.Random(seed)
        self._rules: list[tuple[Rule, _Tally]] = []

    def set(self, rules: list[Rule]) -> None:
        """Put these in the place of those in force; none clears them."""
        self._rules = [(rule, _Tally()) for rule in rules]

    def met_by(self, method: str, path: str) -> list[Rule]:
        """What this request meets: any latencies, and at most one other fault, last."""
        if not self._rules:
            return []
        latencies: list[Rule] = []
        request = f"{method} {path}"
        for rule, tally in self._rules:
            if not fnmatchcase(request, rule.match if " " in rule.match else f"* {rule.match}"):
                continue
            tally.seen += 1
            spared = tally.seen <= rule.after or (rule.count is not None and tally.met >= rule.count)
            if spared or self._random.random() >= rule.rate:
                continue
            tally.met += 1
            if rule.kind != "latency":
                return [*latencies, rule]
            latencies.append(rule)
        return latencies

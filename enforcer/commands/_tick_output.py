"""Prints the actions of a tick and its failures."""

import sys
from collections.abc import Iterable
from typing import Any

from enforcer.domain.quota import Action, Restore, describe
from enforcer.domain.usage import MILLISECOND, minutes
from labkit import exit_status
from labkit.text import escaped


def action_json(action: Action) -> dict[str, Any]:
    """Return the action as the JSON object defined in docs/json.md."""
    usage = None if isinstance(action, Restore) else action.limit_usage
    return {
        "action": type(action).__name__.lower(),
        "cluster_id": action.cluster_id,
        "group": action.group,
        "period": usage.limit.period.value if usage else None,
        "used_ms": usage.used // MILLISECOND if usage else None,
        "limit_minutes": minutes(usage.limit.hard) if usage else None,
        "message": describe(action),
    }


def print_actions(actions: Iterable[Action]) -> None:
    for action in actions:
        print(escaped(describe(action)))


def print_failures(failures: Iterable[str]) -> int:
    """Print the failures, and return the exit status: 1 if there are any, else 0."""
    failures = list(failures)
    for failure in failures:
        print(escaped(failure), file=sys.stderr)
    return exit_status.PARTLY_FAILED if failures else exit_status.DONE

"""Shared by `allow` and `block`: their options, and how an allowance is written and put into effect."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, TypeVar, cast

import click

from enforcer.commands import context
from enforcer.commands._take_effect import take_effect
from enforcer.commands.workspace_context import course_of
from enforcer.domain.allowances import Allowance, LimitOverride, Window
from enforcer.operations.allowance_files import (
    UnknownGroupError,
    allowance_json,
    find_group,
    new_id,
    path_of,
    write_entry,
)
from enforcer.workspace.errors import WorkspaceError
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped

LONGEST_REASON = 300
Change = timedelta | LimitOverride | Window

Verb = TypeVar("Verb", bound=Callable[..., Any])


@dataclass(frozen=True)
class AllowanceOptions:
    """Options of `allow` and `block`: days, reason, JSON output and dry run."""

    day: date | None
    first: date | None
    last: date | None
    reason: str
    as_json: bool
    dry_run: bool


def options(verb: Verb) -> Verb:
    """Add these options to a command, which receives them as `options` and returns the exit status."""

    @functools.wraps(verb)
    def with_options(**values: Any) -> None:
        own = {field.name: values.pop(field.name) for field in fields(AllowanceOptions)}
        raise SystemExit(verb(options=AllowanceOptions(**own), **values))

    for option in reversed(
        (
            cli.day_option,
            cli.from_option,
            cli.to_option,
            click.option(
                "--reason", required=True, help="Reason for the change; shown in messages, usage and reports."
            ),
            cli.json_option,
            cli.dry_run_option,
        )
    ):
        with_options = option(with_options)
    return cast(Verb, with_options)


def give(group: str, change: Change, options: AllowanceOptions) -> int:
    """Write the allowance and put it into effect. Return the exit status."""
    why = " ".join(options.reason.split())
    if not why or len(why) > LONGEST_REASON:
        raise click.UsageError(f"--reason must have 1 to {LONGEST_REASON} characters")
    settings = context.settings(needs_workspace=True)
    now = cli.now()
    workspace, lab = course_of(settings, now=now)
    today = _today(lab.course.calendar.tz, now)
    days = cli.date_range(options.day, options.first, options.last, today=today)
    _check_days(*days, change, today=today)
    try:
        name = find_group(group, lab)
    except UnknownGroupError as error:
        cli.fail(str(error))
    allowance = Allowance(new_id(now), name, *days, change, why, workspace.caller, now)
    if not options.dry_run:
        try:
            write_entry(workspace, lab, allowance)
        except WorkspaceError as error:
            print(escaped(f"nothing was changed: {error}"), file=sys.stderr)
            return exit_status.PARTLY_FAILED
    status = exit_status.DONE if options.dry_run else take_effect(settings)
    if options.as_json:
        cli.print_json(allowance_json(allowance) | {"path": path_of(lab, allowance.id)})
    else:
        span = f"{allowance.first_day}" + (
            f" to {allowance.last_day}" if allowance.last_day > allowance.first_day else ""
        )
        result = (
            "dry run: nothing was written"
            if options.dry_run
            else f"to undo it: python -m enforcer revoke {allowance.id}"
        )
        print(escaped(f"{name or 'all groups'}, {span}: {allowance} ({result})"))
    return status


def _today(tz: tzinfo, now: datetime) -> date:
    return now.astimezone(tz).date()


def _check_days(first: date, last: date, change: Change, *, today: date) -> None:
    if first < today:
        raise click.UsageError(
            f"{first} is in the past; past days do not change, so the first day must be {today} or later"
        )
    if isinstance(change, Window) and change.weekday is not None:
        days = (first + timedelta(days=number) for number in range(min(7, (last - first).days + 1)))
        if change.weekday not in {day.weekday() for day in days}:
            raise click.UsageError(
                f"the window {change} never opens: {first} is a {first:%A}; use a date range that includes its weekday"
            )

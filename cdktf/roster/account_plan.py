"""Decides which of the students' accounts a stack manages, and which it only looks up."""

from collections.abc import Iterable
from dataclasses import dataclass

from labkit.formats.roster_file import MANAGED
from roster.model import Roster, has_account_on


@dataclass(frozen=True)
class AccountPlan:
    """Accounts to manage and accounts to look up, by e-mail address. No address is in both."""

    managed: tuple[str, ...]
    looked_up: tuple[str, ...]


def plan_accounts(
    own: Roster, others: Iterable[Roster], *, target: str, staff: Iterable[str], owns_accounts: bool
) -> AccountPlan:
    """Sort the addresses of active groups into accounts to manage and accounts to look up.

    Accounts from the other rosters are managed, too, but never looked up, because nothing else from these rosters is
    created. An account that any roster marks as older than the lab, or that belongs to staff, is never managed; in a
    directory's group, an account is older than the lab on every target.
    """
    others = tuple(others)
    members = [
        (roster, member)
        for roster in (own, *others)
        for group in roster.active_groups
        for member in group.active_members
    ]
    unmanaged = {member.email for _, member in members if has_account_on(member, target)} | {a.lower() for a in staff}
    unmanaged |= {
        member.email
        for roster in (own, *others)
        for group in roster.active_groups
        for member in group.active_members
        if group.principal and member.account != MANAGED
    }
    everybody = {member.email for _, member in members}
    needed = {member.email for roster, member in members if roster is own}
    managed = everybody - unmanaged if owns_accounts else set()
    return AccountPlan(managed=tuple(sorted(managed)), looked_up=tuple(sorted(needed - managed)))

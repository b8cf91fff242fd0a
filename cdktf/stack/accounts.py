"""The students' accounts: those that this stack manages, and those that it only looks up."""

from collections.abc import Iterable
from dataclasses import dataclass

from labkit.formats.roster_file import MANAGED
from roster.model import Roster, has_account_on
from stack.expressions import add_blocks, label, template
from stack.framework import Construct
from stack.workspace_guard import ADDRESS as GUARD


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


class StudentAccounts(Construct):
    """`databricks_user.student_dana_at_campus-example` or, if looked up, the data source with the same name.

    The Terraform address of an account depends only on the e-mail address, so a student may move between groups.
    """

    def __init__(self, scope: Construct, id: str, *, plan: AccountPlan) -> None:
        super().__init__(scope, id)
        self._managed = frozenset(plan.managed)
        add_blocks(
            self,
            "resource.databricks_user",
            {
                _resource_name(address): {
                    "user_name": template(address),
                    # A student's notebooks remain after the account is deleted: the lab deletes nobody's work.
                    "force_delete_home_dir": False,
                    "force_delete_repos": False,
                    "depends_on": [GUARD],
                }
                for address in plan.managed
            },
        )
        add_blocks(
            self,
            "data.databricks_user",
            {
                _resource_name(address): {"user_name": template(address), "depends_on": [GUARD]}
                for address in plan.looked_up
            },
        )

    def id_of(self, address: str) -> str:
        """Return an expression for the id of the account with this address."""
        kind = "databricks_user" if address in self._managed else "data.databricks_user"
        return f"${{{kind}.{_resource_name(address)}.id}}"


def _resource_name(address: str) -> str:
    return f"student_{label(address)}"

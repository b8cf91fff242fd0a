"""The students' accounts: those this stack makes, and those that it only looks up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_databricks.data_databricks_user import DataDatabricksUser
from cdktf_cdktf_provider_databricks.user import User
from constructs import Construct

from expressions import EACH, for_each, literal
from roster import Roster, exists_on


@dataclass(frozen=True)
class AccountPlan:
    """Addresses by what becomes of their accounts. No address stands in both."""

    managed: tuple[str, ...]
    looked_up: tuple[str, ...]


def plan_accounts(
    own: Roster, others: Iterable[Roster], *, target: str, staff: Iterable[str], owns_accounts: bool
) -> AccountPlan:
    """Sort the addresses of active groups into accounts to manage and accounts to look up.

    The accounts of the other rosters are made too, but nothing else of them is; so they are never looked up. An
    account that was there before us, by any roster, or that belongs to the staff, is never managed.
    """
    others = tuple(others)
    members = [
        (roster, member)
        for roster in (own, *others)
        for group in roster.active_groups
        for member in group.active_members
    ]
    not_ours = {member.email for _, member in members if exists_on(member, target)} | {a.lower() for a in staff}
    everybody = {member.email for _, member in members}
    needed = {member.email for roster, member in members if roster is own}
    managed = everybody - not_ours if owns_accounts else set()
    return AccountPlan(managed=tuple(sorted(managed)), looked_up=tuple(sorted(needed - managed)))


class StudentAccounts(Construct):
    """`databricks_user.student["address"]` and `data.databricks_user.student["address"]`.

    The place of an account in the state depends on its address alone, so a student may move between groups.
    """

    def __init__(self, scope: Construct, id: str, *, plan: AccountPlan, after: Sequence[ITerraformDependable]) -> None:
        super().__init__(scope, id)
        self._managed = frozenset(plan.managed)
        if plan.managed:
            user = User(
                self,
                "managed",
                user_name=EACH,
                # A student's notebooks outlive the account: nobody's work is deleted from here.
                force_delete_home_dir=False,
                force_delete_repos=False,
                depends_on=after,
            )
            user.override_logical_id("student")
            user.add_override("for_each", for_each(plan.managed))
        if plan.looked_up:
            found = DataDatabricksUser(self, "looked_up", user_name=EACH, depends_on=after)
            found.override_logical_id("student")
            found.add_override("for_each", for_each(plan.looked_up))

    def id_of(self, address: str) -> str:
        """An expression for the id of the account with this address."""
        kind = "databricks_user" if address in self._managed else "data.databricks_user"
        return f'${{{kind}.student["{literal(address)}"].id}}'

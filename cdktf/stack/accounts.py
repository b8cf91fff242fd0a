"""The students' accounts: those that this stack manages, and those that it only looks up."""

from roster.account_plan import AccountPlan
from stack.expressions import label, template
from stack.framework import Construct, add_blocks
from stack.workspace_guard import ADDRESS as GUARD


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

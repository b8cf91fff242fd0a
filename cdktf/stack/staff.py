"""The people and service principals that run the course. Their accounts are looked up, never created or deleted."""

from collections.abc import Mapping, Sequence

from lab_settings import StaffSettings
from stack.expressions import EACH, for_each, literal, template
from stack.framework import (
    Construct,
    DataDatabricksServicePrincipal,
    DataDatabricksUser,
    ITerraformDependable,
    PermissionsAccessControl,
)


class Staff(Construct):
    """`data.databricks_user.staff["address"]` and `data.databricks_service_principal.staff["application id"]`.

    A plan fails if a staff member has no account in the workspace; the error contains the name.
    """

    def __init__(
        self, scope: Construct, id: str, *, settings: StaffSettings, depends_on: Sequence[ITerraformDependable]
    ) -> None:
        super().__init__(scope, id)
        self.addresses = sorted({address.lower() for address in settings.addresses})
        self.service_principals = sorted({principal.lower() for principal in settings.service_principals})
        if self.addresses:
            people = DataDatabricksUser(self, "people", user_name=EACH, depends_on=depends_on)
            people.override_logical_id("staff")
            people.add_override("for_each", for_each(self.addresses))
        if self.service_principals:
            programs = DataDatabricksServicePrincipal(self, "programs", application_id=EACH, depends_on=depends_on)
            programs.override_logical_id("staff")
            programs.add_override("for_each", for_each(self.service_principals))

    def __bool__(self) -> bool:
        return bool(self.addresses or self.service_principals)

    @property
    def names(self) -> list[str]:
        return self.addresses + self.service_principals

    def access_entries(self, level: str, *, levels: Mapping[str, str] | None = None) -> list[PermissionsAccessControl]:
        """Return the staff's access control entries. `levels` maps names to levels; all others get `level`."""
        own = levels or {}
        people = [
            PermissionsAccessControl(user_name=template(address), permission_level=own.get(address, level))
            for address in self.addresses
        ]
        programs = [
            PermissionsAccessControl(service_principal_name=principal, permission_level=own.get(principal, level))
            for principal in self.service_principals
        ]
        return people + programs


def level_unless_caller(name: str, caller: str, level: str) -> str:
    """Return an expression for this level; CAN_MANAGE for the caller, because the provider refuses a lower one."""
    return f'${{lower({caller}) == "{literal(name)}" ? "CAN_MANAGE" : "{level}"}}'

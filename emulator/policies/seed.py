"""The default policies of a new workspace: one of each family."""

from emulator.catalog.policy_families import FAMILIES, OPEN_TO_USERS
from emulator.models.policies import Policy
from emulator.models.scim import USERS
from emulator.state.workspace import Workspace


def seed(workspace: Workspace) -> None:
    """Personal Compute is the only one that is open to everybody."""
    state, now = workspace.state, workspace.clock.now()
    users = state.directory.group_named(USERS)
    for family in FAMILIES.values():
        policy = Policy(
            policy_id=state.ids.hex("policy", family.name, 16).upper(),
            name=family.name,
            creator_user_name=workspace.options.admin,
            created_at=now,
            family_id=family.policy_family_id,
            is_default=True,
        )
        state.policies.policies[policy.policy_id] = policy
        if users and family.policy_family_id in OPEN_TO_USERS:
            state.acls.grant(policy.acl_name, users.id, "CAN_USE")

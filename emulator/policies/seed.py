"""The default policies in a new workspace, one for each family."""

from emulator.models.policies import Policy
from emulator.models.scim import USERS
from emulator.reference.policy_families import FAMILIES, USABLE_BY_ALL_USERS
from emulator.state.workspace import EmulatedWorkspace


def seed(workspace: EmulatedWorkspace) -> None:
    """Create the policies. All users may use Personal Compute; the others are for administrators."""
    state, now = workspace.state, workspace.clock.now()
    users = state.directory.find_group(USERS)
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
        if users and family.policy_family_id in USABLE_BY_ALL_USERS:
            state.acls.grant(policy.acl_name, users.id, "CAN_USE")

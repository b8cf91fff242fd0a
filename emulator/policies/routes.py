"""HTTP handlers for policies: `/api/2.0/policies/clusters/*` and `/api/2.0/policy-families`."""

import json
from typing import Any

from emulator.api.errors import invalid, missing
from emulator.api.routing import Request, Routes
from emulator.models.policies import Policy
from emulator.permissions.rights import has_permission, require_admin, require_permission
from emulator.policies.evaluation import validate_definition
from emulator.reference.policy_families import FAMILIES

routes = Routes()
NAME_LENGTH = 100
PAGE = 100
SORT_COLUMNS = ("POLICY_CREATION_TIME", "POLICY_NAME")


@routes.post("/api/2.0/policies/clusters/create")
def create(request: Request) -> dict[str, Any]:
    require_admin(request)
    state = request.workspace.state
    name = _name(request)
    policy = Policy(
        policy_id=state.ids.hex("policy", name, 16).upper(),
        name=name,
        creator_user_name=request.caller.name,
        created_at=request.now,
    )
    _define(request, policy)
    state.policies.policies[policy.policy_id] = policy
    return {"policy_id": policy.policy_id}


@routes.post("/api/2.0/policies/clusters/edit")
def edit(request: Request) -> dict[str, Any]:
    """Replace everything except creator and creation time."""
    policy = _find(request, request.required("policy_id"))
    require_admin(request)
    name = _name(request, policy)
    if policy.is_default and (
        name != policy.name or request.body.get("policy_family_id") not in (None, policy.family_id)
    ):
        raise invalid(f"The name and the policy family of the default policy {policy.name} cannot be changed.")
    _define(request, policy)
    policy.name = name
    return {}


@routes.post("/api/2.0/policies/clusters/delete")
def delete(request: Request) -> dict[str, Any]:
    policy = _find(request, request.required("policy_id"))
    require_admin(request)
    if policy.is_default:
        raise invalid(f"The default policy {policy.name} cannot be deleted.")
    del request.workspace.state.policies.policies[policy.policy_id]
    request.workspace.state.acls.remove_object(policy.acl_name)
    return {}


@routes.get("/api/2.0/policies/clusters/get")
def get(request: Request) -> dict[str, Any]:
    policy = _find(request, request.required_argument("policy_id"))
    text = f"{request.caller.name} does not have Use permissions on cluster policy {policy.policy_id}."
    require_permission(request, "cluster-policies", policy.acl_name, "CAN_USE", text)
    return policy.describe()


@routes.get("/api/2.0/policies/clusters/list")
def list_policies(request: Request) -> dict[str, Any]:
    """List the policies that the caller may use, by default the newest first."""
    column = request.argument("sort_column") or SORT_COLUMNS[0]
    if column not in SORT_COLUMNS:
        raise invalid(f"sort_column must be one of {', '.join(SORT_COLUMNS)}, not {column}")
    usable = [
        policy
        for policy in request.workspace.state.policies.policies.values()
        if has_permission(request.workspace, request.caller.id, "cluster-policies", policy.acl_name, "CAN_USE")
    ]
    if column == "POLICY_NAME":
        usable.sort(key=lambda policy: policy.name)
    else:
        usable.sort(key=lambda policy: policy.created_at)
    if (request.argument("sort_order") or "DESC").upper() == "DESC":
        usable.reverse()
    return {"policies": [policy.describe() for policy in usable], "total_count": len(usable)}


@routes.get("/api/2.0/policy-families")
def list_families(request: Request) -> dict[str, Any]:
    size = request.number("max_results", PAGE)
    token = request.argument("page_token") or "0"
    if not token.isdigit() or size < 1:
        raise invalid(f"page_token {token} is not valid")
    begin = int(token)
    families = list(FAMILIES.values())
    end = begin + min(size, PAGE)
    answer: dict[str, Any] = {"policy_families": [family.describe() for family in families[begin:end]]}
    return answer | ({"next_page_token": str(end)} if end < len(families) else {})


@routes.get("/api/2.0/policy-families/{id}")
def get_family(request: Request) -> dict[str, Any]:
    family = FAMILIES.get(request.parameters["id"])
    if family is None:
        raise missing(f"Policy family {request.parameters['id']} does not exist.")
    return family.describe()


def _find(request: Request, policy_id: Any) -> Policy:
    policy = request.workspace.state.policies.policies.get(str(policy_id))
    if policy is None:
        raise missing(f"Can't find a cluster policy with id: {policy_id}.")
    return policy


def _name(request: Request, policy: Policy | None = None) -> str:
    """Return the name in the body. Raises 400 if it is too long or used by a different policy."""
    name = str(request.required("name"))
    if len(name) > NAME_LENGTH:
        raise invalid(f"The name of a cluster policy has at most {NAME_LENGTH} characters.")
    if any(other is not policy for other in request.workspace.state.policies.with_name(name)):
        raise invalid(f"A cluster policy named {name} already exists.")
    return name


def _define(request: Request, policy: Policy) -> None:
    """Apply all fields in the body to the policy, or none if one is invalid."""
    body = request.body
    definition = _text(body, "definition")
    overrides = _text(body, "policy_family_definition_overrides")
    family_id = _text(body, "policy_family_id") or (policy.family_id if policy.is_default else "")
    if family_id:
        if family_id not in FAMILIES:
            raise invalid(f"Policy family {family_id} does not exist.")
        if definition.strip():
            raise invalid("definition and policy_family_id cannot both be given.")
        if overrides.strip():
            _check_rules(overrides, "policy_family_definition_overrides")
    else:
        if overrides.strip():
            raise invalid("policy_family_definition_overrides needs a policy_family_id.")
        if not definition.strip():
            raise invalid("Missing required field: definition")
        _check_rules(definition, "definition")
    number = body.get("max_clusters_per_user")
    if number is not None and (not isinstance(number, int) or isinstance(number, bool) or number < 0):
        raise invalid("max_clusters_per_user must be a positive number.")
    libraries = body.get("libraries") or []
    if not isinstance(libraries, list) or not all(isinstance(library, dict) for library in libraries):
        raise invalid("libraries must be a list of libraries.")
    policy.own_definition, policy.overrides, policy.family_id = definition, overrides, family_id
    policy.description = _text(body, "description")
    policy.max_clusters_per_user = number or None
    policy.libraries = libraries


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid(f"{name} must be a string.")
    return value or ""


def _check_rules(text: str, name: str) -> None:
    try:
        rules = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise invalid(f"{name} is not valid JSON: {error}") from None
    problems = validate_definition(rules)
    if problems:
        raise invalid(f"{name} is not valid: " + "; ".join(problems))

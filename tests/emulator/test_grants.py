"""Privileges on securables: who is given what, what comes down, and what the platform refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.grants.privileges import APPLICABLE
from emulator.models.scim import Group, User
from emulator.state.state import dump_json, load_json
from example_counts import exactly_examples
from in_process_client import InProcessClient
from in_process_workspace import InProcessWorkspace

BASE = "/api/2.1/unity-catalog"
CATALOG = "lab_workspace"
VOLUME = f"{CATALOG}.raw.files"


@pytest.fixture
def uc() -> InProcessClient:
    """A workspace with its own catalog, in which there are a schema `raw` and a volume `files`."""
    lab = InProcessClient(unity_catalog="auto")
    make(lab, "schemas", catalog_name=CATALOG, name="raw")
    make(lab, "volumes", catalog_name=CATALOG, schema_name="raw", name="files", volume_type="MANAGED")
    return lab


def make(lab: InProcessClient, kind: str, **fields: Any) -> dict[str, Any]:
    status, made = lab.request("POST", f"{BASE}/{kind}", fields)
    assert status == 200, made
    return dict(made)


def account_group(lab: InProcessClient, name: str, *members: User) -> Group:
    group = lab.group(name, *members)
    group.account_level = True
    return group


def patch(lab: InProcessClient, securable: str, *changes: dict[str, Any], caller: Any = None) -> tuple[int, Any]:
    return lab.request("PATCH", f"{BASE}/permissions/{securable}", {"changes": list(changes)}, caller=caller)


def grant(lab: InProcessClient, securable: str, principal: str, *privileges: str) -> None:
    status, answer = patch(lab, securable, {"principal": principal, "add": list(privileges)})
    assert status == 200, answer


def granted(lab: InProcessClient, securable: str, query: str = "", caller: Any = None) -> dict[str, list[str]]:
    status, answer = lab.request("GET", f"{BASE}/permissions/{securable}{query}", caller=caller)
    assert status == 200, answer
    return {one["principal"]: one["privileges"] for one in answer["privilege_assignments"]}


def refusal(answer: tuple[int, Any]) -> tuple[int, str, str]:
    return answer[0], answer[1]["error_code"], answer[1]["message"]


def test_grants_are_given_back_as_they_were_written(uc: InProcessClient) -> None:
    uc.user("dana@lab.example")
    grant(uc, f"schema/{CATALOG}.RAW", "Dana@lab.example", "use schema", "SELECT")
    assert granted(uc, f"schema/{CATALOG}.raw") == {"Dana@lab.example": ["SELECT", "USE_SCHEMA"]}


def test_a_change_takes_and_gives_in_one_step(uc: InProcessClient) -> None:
    account_group(uc, "team_01")
    grant(uc, f"schema/{CATALOG}.raw", "team_01", "SELECT", "MODIFY")
    status, answer = patch(
        uc, f"schema/{CATALOG}.raw", {"principal": "team_01", "add": ["EXECUTE"], "remove": ["MODIFY"]}
    )
    expected = {"privilege_assignments": [{"principal": "team_01", "privileges": ["EXECUTE", "SELECT"]}]}
    assert (status, answer) == (200, expected)


def test_losing_all_privileges_loses_every_single_one(uc: InProcessClient) -> None:
    account_group(uc, "team_01")
    grant(uc, f"schema/{CATALOG}.raw", "team_01", "SELECT", "ALL PRIVILEGES")
    patch(uc, f"schema/{CATALOG}.raw", {"principal": "team_01", "remove": ["ALL_PRIVILEGES"]})
    assert granted(uc, f"schema/{CATALOG}.raw") == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"principal": "account users", "add": ["SELECT"], "remove": ["SELECT"]},
            (400, "INVALID_PARAMETER_VALUE", "Duplicate privileges to add and delete for principal account users."),
        ),
        (
            {"principal": "nobody", "add": ["SELECT"]},
            (404, "PRINCIPAL_DOES_NOT_EXIST", "Could not find principal with name nobody."),
        ),
        (
            {"principal": "users", "add": ["SELECT"]},
            (404, "PRINCIPAL_DOES_NOT_EXIST", "Could not find principal with name users."),
        ),
        (
            {"principal": "local", "add": ["SELECT"]},
            (404, "PRINCIPAL_DOES_NOT_EXIST", "Could not find principal with name local."),
        ),
        (
            {"principal": "account users", "add": ["abc"]},
            (
                400,
                "INVALID_PARAMETER_VALUE",
                f"Privilege ABC is not applicable to this entity [SCHEMA:{CATALOG}.raw]. If this seems unexpected, "
                "please check the privilege version of the metastore in use [1.0].",
            ),
        ),
        ({"add": ["SELECT"]}, (400, "INVALID_PARAMETER_VALUE", "Missing required field: principal")),
    ],
)  # fmt: skip
def test_a_refused_change_changes_nothing(
    uc: InProcessClient, change: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    uc.group("local")
    good = {"principal": "account users", "add": ["USE_SCHEMA"]}
    assert refusal(patch(uc, f"schema/{CATALOG}.raw", good, change)) == expected
    assert granted(uc, f"schema/{CATALOG}.raw") == {}


def test_a_type_that_does_not_exist_is_named(uc: InProcessClient) -> None:
    status, answer = uc.request("GET", f"{BASE}/permissions/clusters/x")
    assert (status, answer["message"].startswith("clusters is not a securable type.")) == (400, True)


def test_a_new_principal_is_unknown_for_a_while() -> None:
    lab = InProcessWorkspace(unity_catalog="auto", scim_delay_seconds=20.0)
    users = "/api/2.0/preview/scim/v2/Users"
    lab.call("POST", users, {"userName": "dana@lab.example"})
    path, body = (
        f"{BASE}/permissions/catalog/{CATALOG}",
        {"changes": [{"principal": "dana@lab.example", "add": ["USE_CATALOG"]}]},
    )
    expected = (404, "PRINCIPAL_DOES_NOT_EXIST", "Could not find principal with name dana@lab.example.")
    assert lab.refusal("PATCH", path, body) == expected
    lab.advance(20)
    assert {"principal": "dana@lab.example", "privileges": ["USE_CATALOG"]} in lab.call("PATCH", path, body)[
        "privilege_assignments"
    ]


def test_a_deleted_principal_has_an_empty_name(uc: InProcessClient) -> None:
    dana = uc.user("dana@lab.example")
    grant(uc, f"schema/{CATALOG}.raw", dana.user_name, "USE_SCHEMA")
    uc.request("DELETE", f"/api/2.0/preview/scim/v2/Users/{dana.id}")
    assert granted(uc, f"schema/{CATALOG}.raw") == {"": ["USE_SCHEMA"]}
    patch(uc, f"schema/{CATALOG}.raw", {"principal": "", "remove": ["USE_SCHEMA"]})
    assert granted(uc, f"schema/{CATALOG}.raw") == {}


def test_pages_of_grants_have_all_privileges_of_a_principal(uc: InProcessClient) -> None:
    names = [f"user{number:03}@lab.example" for number in range(100)]
    for name in names:
        uc.user(name)
    schema = f"schema/{CATALOG}.raw"
    patch(uc, schema, *({"principal": name, "add": ["MODIFY", "SELECT", "USE_SCHEMA"]} for name in names))
    pages, token = [], ""
    while token is not None:
        path = f"{BASE}/permissions/{schema}?max_results=200&page_token={token}"
        page = uc.request("GET", path)[1]
        pages.append([one["principal"] for one in page["privilege_assignments"]])
        token = page.get("next_page_token")
    assert pages == [names[:66], names[66:]]
    assert list(granted(uc, schema)) == names
    assert uc.request("GET", f"{BASE}/permissions/{schema}?max_results=1")[1]["error_code"] == "INVALID_PARAMETER_VALUE"


def test_a_deleted_principal_is_removed_by_its_id(uc: InProcessClient) -> None:
    dana, noa = uc.user("dana@lab.example"), uc.user("noa@lab.example")
    for user in (dana, noa):
        grant(uc, f"schema/{CATALOG}.raw", user.user_name, "SELECT", "USE_SCHEMA")
        uc.request("DELETE", f"/api/2.0/preview/scim/v2/Users/{user.id}")
    status, answer = patch(uc, f"schema/{CATALOG}.raw", {"principal_id": dana.id, "remove": ["SELECT", "USE_SCHEMA"]})
    kept = {"principal": "", "principal_id": noa.id, "privileges": ["SELECT", "USE_SCHEMA"]}
    assert (status, answer) == (200, {"privilege_assignments": [kept]})
    effective = uc.request("GET", f"{BASE}/effective-permissions/schema/{CATALOG}.raw")[1]["privilege_assignments"]
    privileges = [{"privilege": "SELECT"}, {"privilege": "USE_SCHEMA"}]
    assert kept | {"privileges": privileges} in effective


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"remove": ["SELECT"]}, "Missing required field: principal"),
        ({"principal": "a", "principal_id": "1"}, "Only one of principal and principal_id may be specified."),
        ({"principal_id": "1", "add": ["SELECT"]}, "Privileges cannot be added to a principal_id, only removed."),
    ],
)
def test_a_change_needs_a_name_or_the_id_of_a_deleted_principal(
    uc: InProcessClient, change: dict[str, Any], message: str
) -> None:
    expected = (400, "INVALID_PARAMETER_VALUE", message)
    assert refusal(patch(uc, f"schema/{CATALOG}.raw", change)) == expected


def test_a_renamed_group_is_shown_under_its_new_name(uc: InProcessClient) -> None:
    group = account_group(uc, "team_01")
    grant(uc, f"schema/{CATALOG}.raw", "team_01", "USE_SCHEMA")
    group.display_name = "team_02"
    assert granted(uc, f"schema/{CATALOG}.raw") == {"team_02": ["USE_SCHEMA"]}


def test_a_student_sees_its_own_grants_alone(uc: InProcessClient) -> None:
    dana = uc.user("dana@lab.example")
    uc.user("noa@lab.example")
    grant(uc, f"schema/{CATALOG}.raw", "dana@lab.example", "USE_SCHEMA")
    grant(uc, f"schema/{CATALOG}.raw", "noa@lab.example", "USE_SCHEMA")
    assert granted(uc, f"schema/{CATALOG}.raw", caller=dana) == {"dana@lab.example": ["USE_SCHEMA"]}
    assert granted(uc, f"schema/{CATALOG}.raw", "?principal=noa@lab.example") == {"noa@lab.example": ["USE_SCHEMA"]}


def test_a_student_grants_nothing_on_what_it_does_not_manage(uc: InProcessClient) -> None:
    dana = uc.user("dana@lab.example")
    grant(uc, f"schema/{CATALOG}.raw", "dana@lab.example", "ALL_PRIVILEGES")
    change = {"principal": "dana@lab.example", "add": ["MANAGE"]}
    expected = (403, "PERMISSION_DENIED", f"User does not have MANAGE on Schema '{CATALOG}.raw'.")
    assert refusal(patch(uc, f"schema/{CATALOG}.raw", change, caller=dana)) == expected


def test_effective_permissions_name_their_source(uc: InProcessClient) -> None:
    account_group(uc, "team_01")
    grant(uc, f"catalog/{CATALOG}", "team_01", "USE_CATALOG", "READ_VOLUME")
    grant(uc, f"schema/{CATALOG}.raw", "team_01", "READ_VOLUME", "CREATE_TABLE")
    grant(uc, f"volume/{VOLUME}", "team_01", "WRITE_VOLUME")
    status, answer = uc.request("GET", f"{BASE}/effective-permissions/volume/{VOLUME}?principal=team_01")
    source = {"inherited_from_type": "SCHEMA", "inherited_from_name": f"{CATALOG}.raw"}
    expected = [{"privilege": "READ_VOLUME", **source}, {"privilege": "WRITE_VOLUME"}]
    assert (status, answer["privilege_assignments"]) == (200, [{"principal": "team_01", "privileges": expected}])


def test_all_privileges_are_spelled_out_when_inherited(uc: InProcessClient) -> None:
    grant(uc, f"schema/{CATALOG}.raw", "account users", "ALL_PRIVILEGES")
    _, answer = uc.request("GET", f"{BASE}/effective-permissions/volume/{VOLUME}?principal=account%20users")
    names = [one["privilege"] for one in answer["privilege_assignments"][0]["privileges"]]
    assert names == ["APPLY_TAG", "BROWSE", "READ_VOLUME", "WRITE_VOLUME"]


def test_grants_survive_a_restart(uc: InProcessClient) -> None:
    grant(uc, f"schema/{CATALOG}.raw", "account users", "USE_SCHEMA")
    uc.workspace.state = load_json(dump_json(uc.workspace.state))
    assert granted(uc, f"schema/{CATALOG}.raw") == {"account users": ["USE_SCHEMA"]}


# --- random grants, against what the platform's manual says


PLACES = ("catalog", "schema", "volume")
PATHS = ("catalog/lab", "schema/lab.raw", "volume/lab.raw.files")
PRINCIPALS = ("dana@lab.example", "team", "faculty", "account users")
"""dana is in team, team is in faculty; everybody is in account users."""
DANA = frozenset(PRINCIPALS)
PRIVILEGES = ("USE_CATALOG", "USE_SCHEMA", "READ_VOLUME", "WRITE_VOLUME", "ALL_PRIVILEGES", "MANAGE", "CREATE_TABLE")


@dataclass(frozen=True)
class World:
    """Who was given what at each place, and who owns each."""

    grants: Mapping[tuple[str, str], frozenset[str]]
    """Place and principal → privileges."""
    owners: tuple[str, str, str]

    def facts(self, place: str) -> set[str]:
        """Everything that dana may do at this place as such: what was given to her there or further up, and what her
        ownership of it means. ALL_PRIVILEGES stands for what it includes."""
        above = PLACES[: PLACES.index(place) + 1]
        found = {p for (at, who), given in self.grants.items() if at in above and who in DANA for p in given}
        if "ALL_PRIVILEGES" in found or self.owners[PLACES.index(place)] in DANA:
            found |= {"USE_CATALOG", "USE_SCHEMA", "READ_VOLUME", "WRITE_VOLUME"}
        return found

    def may(self, privilege: str) -> bool:
        """Whether dana has a privilege on the volume and gets to it."""
        return self.enters_schema() and privilege in self.facts("volume")

    def enters_catalog(self) -> bool:
        return "USE_CATALOG" in self.facts("catalog")

    def enters_schema(self) -> bool:
        return self.enters_catalog() and "USE_SCHEMA" in self.facts("schema")

    def manages(self) -> bool:
        """Whether dana may grant on the volume."""
        by_owner = (
            self.owners[0] in DANA,
            self.owners[1] in DANA and self.enters_catalog(),
            self.owners[2] in DANA and self.enters_schema(),
        )
        return any(by_owner) or ("MANAGE" in self.facts("volume") and self.enters_schema())


def worlds() -> st.SearchStrategy[World]:
    pairs = [(place, who) for place in PLACES for who in (*PRINCIPALS, "stranger")]
    privileges = st.frozensets(st.sampled_from(PRIVILEGES), max_size=3)
    owners = st.sampled_from(("admin@lab.example", "admin@lab.example", "stranger", *PRINCIPALS[:3]))
    return st.builds(World, st.dictionaries(st.sampled_from(pairs), privileges, max_size=6), st.tuples(*[owners] * 3))


def built(world: World) -> tuple[InProcessClient, User]:
    """The world as requests make it; dana is in team, and team in faculty."""
    lab = InProcessClient(unity_catalog="auto")
    dana = lab.user("dana@lab.example")
    team = account_group(lab, "team", dana)
    account_group(lab, "faculty").members.append(team.id)
    account_group(lab, "stranger")
    make(lab, "catalogs", name="lab", storage_root="abfss://lab@store.dfs.core.windows.net")
    make(lab, "schemas", catalog_name="lab", name="raw")
    make(lab, "volumes", catalog_name="lab", schema_name="raw", name="files", volume_type="MANAGED")
    assert lab.request("PUT", "/api/2.0/fs/files/Volumes/lab/raw/files/f", b"1")[0] == 204
    for (place, who), privileges in world.grants.items():
        path = PATHS[PLACES.index(place)]
        applicable = privileges & APPLICABLE[place]
        grant(lab, path, who, *applicable)
    for path, owner in reversed(list(zip(PATHS, world.owners, strict=True))):
        kind, name = path.split("/")
        status, answer = lab.request("PATCH", f"{BASE}/{kind}s/{name}", {"owner": owner})
        assert status == 200, answer
    return lab, dana


@exactly_examples(100, acceptance=500)
@given(worlds(), st.sampled_from(PRINCIPALS))
def test_random_grants_are_effective_where_they_apply(world: World, who: str) -> None:
    lab, _ = built(World(world.grants, ("admin@lab.example",) * 3))
    expected: dict[str, str] = {}
    for place, path in zip(PLACES, PATHS, strict=True):
        privileges = world.grants.get((place, who), frozenset())
        if "ALL_PRIVILEGES" in privileges:
            privileges |= {"READ_VOLUME", "WRITE_VOLUME", "APPLY_TAG", "BROWSE"}
        # The nearest place comes last and counts.
        expected |= dict.fromkeys(privileges & {"READ_VOLUME", "WRITE_VOLUME", "APPLY_TAG", "BROWSE", "MANAGE"}, path)
    _, answer = lab.request("GET", f"{BASE}/effective-permissions/{PATHS[2]}?principal={quote(who)}")
    seen = {
        one["privilege"]: f"{one['inherited_from_type'].lower()}/{one['inherited_from_name']}"
        if "inherited_from_name" in one
        else PATHS[2]
        for assignment in answer["privilege_assignments"]
        for one in assignment["privileges"]
    }
    assert seen == expected


@exactly_examples(150, acceptance=1000)
@given(worlds())
def test_random_grants_open_what_the_manual_says(world: World) -> None:
    known = {key: privileges & APPLICABLE[key[0]] for key, privileges in world.grants.items()}
    world = World(known, world.owners)
    lab, dana = built(world)
    file = "/api/2.0/fs/files/Volumes/lab/raw/files/f"
    seen = {
        "reads": lab.request("GET", file, caller=dana)[0] == 200,
        "writes": lab.request("PUT", f"{file}?overwrite=true", b"2", caller=dana)[0] == 204,
        "manages": patch(lab, PATHS[2], {"principal": "stranger", "add": ["APPLY_TAG"]}, caller=dana)[0] == 200,
    }
    expected = {"reads": world.may("READ_VOLUME"), "writes": world.may("WRITE_VOLUME"), "manages": world.manages()}
    assert seen == expected

"""SCIM lists: filters, sorting, pages, requested attributes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from databricks.sdk.service.iam import ListSortOrder

from emulator_process import EmulatorProcess
from scim_calls import SCIM, create, filter_query, list_names, ok, refused

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def populated() -> Iterator[EmulatorProcess]:
    """Five users besides the administrator, not created in the order of their names."""
    with EmulatorProcess(["--transition-seconds", "0"]) as process:
        ids = [
            create(process, "Users", userName=f"{name}@lab.example", displayName=display, name={"familyName": family})
            for name, display, family in (
                ("dan", "Dan", "Z"),
                ("ana", "ana", "Y"),
                ("eve", "Eve", "X"),
                ("bob", "Bob 'the' \"builder\"", "W"),
                ("cid", "Cid", "V"),
            )
        ]
        create(process, "Groups", displayName="lab-1", members=[{"value": id} for id in ids[:2]])
        yield process


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sortBy=userName", ["admin", "ana", "bob", "cid", "dan", "eve"]),
        ("sortBy=userName&sortOrder=descending&count=2", ["eve", "dan"]),
        ("sortBy=displayName&startIndex=5&count=9", ["dan", "eve"]),
        ("sortBy=name.familyName&startIndex=2&count=2", ["cid", "bob"]),
        ("startIndex=7", []),
        ("count=0", []),
        ("startIndex=-3&count=1", ["admin"]),
        (filter_query('userName co "LAB" and not (displayName sw "A")'), ["dan", "eve", "bob", "cid"]),
        (filter_query('displayName eq "Bob \'the\' \\"builder\\""'), ["bob"]),
        (filter_query("userName eq 'nobody@lab.example'"), []),
        (filter_query('name.familyName eq "x" or groups.display eq "lab-1"'), ["dan", "ana", "eve"]),
        (filter_query("active eq false"), []),
    ],
)
def test_lists_are_filtered_sorted_and_paged(populated: EmulatorProcess, query: str, found: list[str]) -> None:
    assert [name.partition("@")[0] for name in list_names(populated, query)] == found


def test_a_page_has_its_start_and_total(populated: EmulatorProcess) -> None:
    page = ok(populated, "GET", f"{SCIM}/Users?startIndex=5&count=4&attributes=userName")
    assert {name: value for name, value in page.items() if name != "Resources"} == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 6,
        "startIndex": 5,
        "itemsPerPage": 2,
    }
    assert [set(entry) for entry in page["Resources"]] == [{"id", "userName", "active"}] * 2


def test_the_sdk_pages_through_all_users(populated: EmulatorProcess) -> None:
    listed = populated.client().users.list(count=2, sort_by="userName", sort_order=ListSortOrder.DESCENDING)
    assert [user.user_name.partition("@")[0] for user in listed if user.user_name] == [
        *("eve", "dan", "cid", "bob", "ana", "admin")
    ]


def test_groups_are_found_by_their_members(populated: EmulatorProcess) -> None:
    query = filter_query('displayName eq "ana"')
    ana = ok(populated, "GET", f"{SCIM}/Users?{query}")["Resources"][0]["id"]
    for attribute in ("members", "members.value"):
        query = filter_query(f'{attribute} eq "{ana}"')
        assert list_names(populated, query, "Groups", "displayName") == ["users", "lab-1"]


@pytest.mark.parametrize(
    ("query", "scim_type"),
    [
        (filter_query('shoeSize eq "44"'), "invalidFilter"),
        (filter_query("userName"), "invalidFilter"),
        ("sortBy=shoeSize", "invalidPath"),
        ("count=many", "invalidValue"),
    ],
)
def test_an_invalid_list_query_is_rejected(populated: EmulatorProcess, query: str, scim_type: str) -> None:
    assert refused(populated, "GET", f"{SCIM}/Users?{query}")[:2] == (400, scim_type)


def test_attributes_can_be_excluded(populated: EmulatorProcess) -> None:
    query = filter_query('displayName eq "lab-1"') + "&excludedAttributes=members,roles,schemas,meta"
    (entry,) = ok(populated, "GET", f"{SCIM}/Groups?{query}")["Resources"]
    assert entry == {"id": entry["id"], "displayName": "lab-1", "groups": [], "entitlements": []}

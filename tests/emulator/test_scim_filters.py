"""SCIM filters on plain data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.api.errors import ScimError
from emulator.scim import filters

ANA = {"username": ["ana@lab.example"], "displayname": ["Ana (new)"], "active": ["true"], "groups": ["12", "13"]}
ATTRIBUTES = [*ANA, "externalid", "name.givenname", "groups.display"]


def meets(text: str, resource: dict[str, list[str]] = ANA) -> bool:
    return filters.parse(text, ATTRIBUTES)(lambda name: resource.get(name, []))


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "ana@lab.example"',
        "userName eq 'ANA@LAB.example'",
        'USERNAME EQ "ana@lab.example"',
        'userName co "@lab"',
        'userName sw "ana"',
        'displayName eq "Ana (new)"',
        'displayName co ""',
        "active eq true",
        'active eq "True"',
        'groups eq "13"',
        'groups.value eq "13"',
        'groups[value eq "12"]',
        'externalId ne "x"',
        'userName ne "bob@lab.example" and groups eq "12"',
        'userName eq "bob@lab.example" or groups eq "12" and active eq true',
        'not (userName eq "bob@lab.example")',
        'not(active eq false) and (groups eq "1" or (groups eq "12"))',
    ],
)
def test_a_filter_that_matches(text: str) -> None:
    assert meets(text)


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "ana"',
        'userName sw "lab"',
        'groups ne "12"',
        'externalId eq "x"',
        'externalId co ""',
        "active eq false",
        'groups[value eq "14"]',
        'userName sw "ana" and not (active eq true)',
        '(userName sw "bob" or groups eq "12") and active eq false',
    ],
)
def test_a_filter_that_does_not_match(text: str) -> None:
    assert not meets(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected an attribute at the end"),
        ("userName", "expected an operator at the end"),
        ("userName eq", "expected a value at the end"),
        ('userName gt "a"', "operator 'gt' is not supported, only eq, ne, co, sw"),
        ('shoeSize eq "44"', "no attribute 'shoesize'"),
        ('userName eq "ana', "a quote is not closed in '\"ana'"),
        ('(userName eq "ana"', "expected ')' at the end"),
        ('userName eq "ana")', "unexpected ')'"),
        ('userName eq "a" userName eq "b"', "unexpected 'userName'"),
        ('not userName eq "a"', "expected '('"),
        ("(" * 50 + 'userName eq "a"' + ")" * 50, "more than 40 parentheses deep"),
    ],
)
def test_an_invalid_filter_is_rejected_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ScimError) as refusal:
        filters.parse(text, ATTRIBUTES)
    expected = f"The filter cannot be understood: {reason}."
    assert (refusal.value.status, refusal.value.scim_type, refusal.value.message) == (400, "invalidFilter", expected)


@given(st.text(max_size=30))
def test_any_string_can_be_searched_in_quotes(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    assert meets(f'displayName eq "{quoted}"', {"displayname": [text]})


@given(st.text(alphabet=" ()[]\"'\\aeqndotrsw.1", max_size=60))
def test_hostile_filters_are_parsed_or_rejected(text: str) -> None:
    try:
        meets(text)
    except ScimError as refusal:
        assert refusal.scim_type == "invalidFilter"

"""E-mail addresses and database URLs."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.addresses import (
    DATABASE_FORMAT,
    database_parameters,
    is_address,
    is_database_url,
    normalised_address,
    redact_database_url,
    validate_database,
)
from labkit.text import redact_secrets


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        ("\u200f  DANA.Le\u0301vi@Uni.Example \u200e", "dana.lévi@uni.example"),
        ("'=dana@uni.example", "=dana@uni.example"),
        ("", ""),
    ],
)
def test_addresses_are_normalised(cell: str, address: str) -> None:
    assert normalised_address(cell) == address


@given(st.text(max_size=20) | st.text("'=-@ \u200fİ", max_size=6))
def test_normalising_an_address_twice_changes_nothing(text: str) -> None:
    assert normalised_address(normalised_address(text)) == normalised_address(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("dana@uni.example", True),
        ("d.a+x@a-b.uni.example", True),
        ("דנה@uni.example", True),
        ("dana@localhost", False),
        ("a..b@uni.example", False),
        ("a,b@uni.example", False),
        ("${x}@uni.example", False),
        ("a/b@uni.example", False),
        ("a" * 250 + "@uni.example", False),
        ("dana@uni.example\n", False),
    ],
)
def test_an_accepted_address_is_safe_as_account_name_key_and_cell(text: str, is_one: bool) -> None:
    assert is_address(text) is is_one


@pytest.mark.parametrize(
    ("place", "is_url"),
    [
        ("postgres://h/d", True),
        ("PostgreSQL://h/d", True),
        ("psycopg3://h/d", True),
        ("ledger.db", False),
        ("/a@b", False),
    ],
)
def test_a_ledger_location_is_a_url_or_a_path(place: str, is_url: bool) -> None:
    assert is_database_url(validate_database(place)) is is_url


@pytest.mark.parametrize(
    ("url", "parameters"),
    [
        (
            "postgresql://lab:p%40ss%2Fw%3Fr%20d%23%25@db.example:5433/uptimes?sslmode=require",
            {
                "user": "lab",
                "password": "p@ss/w?r d#%",
                "host": "db.example",
                "port": "5433",
                "dbname": "uptimes",
                "sslmode": "require",
            },
        ),
        (
            "postgres://lab@/uptimes?host=%2Ftmp%2Fa b".replace(" ", "%20"),
            {"user": "lab", "dbname": "uptimes", "host": "/tmp/a b"},
        ),
        ("psycopg3://[::1]:5432/d", {"host": "::1", "port": "5432", "dbname": "d"}),
        ("postgresql://[fe80::1]/d", {"host": "fe80::1", "dbname": "d"}),
        ("postgresql://a:1,b:2/d?password=a%26b", {"host": "a,b", "port": "1,2", "dbname": "d", "password": "a&b"}),
        ("postgresql://", {}),
    ],
)
def test_the_parts_of_a_database_url_are_decoded_once(url: str, parameters: dict[str, str]) -> None:
    assert database_parameters(url) == parameters


@given(password=st.text(min_size=1), user=st.text(min_size=1, max_size=5))
def test_a_percent_encoded_password_is_decoded(password: str, user: str) -> None:
    url = f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@db:1/d"
    assert database_parameters(url) == {"user": user, "password": password, "host": "db", "port": "1", "dbname": "d"}
    assert redact_database_url(url) == "postgresql://db:1/d"


SPECIAL_PASSWORDS = st.text("/#?@% ab1:", min_size=1, max_size=6).map(lambda signs: f"Tr0ub{signs}4dor")


@given(password=SPECIAL_PASSWORDS, scheme=st.sampled_from(["postgresql://", "postgres://", "PSYCOPG3://"]))
def test_a_url_with_an_unencoded_password_is_rejected(password: str, scheme: str) -> None:
    url = f"{scheme}lab:{password}@db:5432/uptimes"
    try:
        parameters = database_parameters(validate_database(url))
    except ValueError as error:
        assert str(error) == DATABASE_FORMAT
    else:
        assert (parameters["host"], parameters["password"]) == ("db", unquote(password))
    for shown in (redact_database_url(url), redact_secrets(f"cannot connect to {url}: no route")):
        assert "Tr0ub" not in shown and "4dor" not in shown


@pytest.mark.parametrize(
    "place",
    [
        "postgresq://lab:Tr0ub4dor@db/uptimes",
        "postgresql+psycopg://lab:Tr0ub4dor@db/uptimes",
        "mysql://lab:Tr0ub4dor@db/uptimes",
        "sqlite:///uptimes.db",
        "postgresql:/lab:Tr0ub4dor@db/uptimes",
        "postgresql//lab:Tr0ub4dor@db/uptimes",
        "lab:Tr0ub/4dor@db/uptimes",
        " postgresql://lab:Tr0ub4dor@db/uptimes",
        "postgresql://lab:Tr0ub4dor@db/uptimes#x",
        "postgresql://lab:Tr0ub4dor@db:port/uptimes",
    ],
)
def test_a_mistyped_url_is_rejected_without_being_quoted(place: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(DATABASE_FORMAT)}$"):
        validate_database(place)


@pytest.mark.parametrize("path", ["uptimes.db", "~/lab/uptimes.db", "/var/lib/a:b/uptimes.db", "./a@b.db", "a b.db"])
def test_any_other_path_is_accepted(path: str) -> None:
    assert validate_database(path) == path


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://host/db", "postgresql://host/db"),
        ("postgresql://lab:pass@host:5432/db", "postgresql://host:5432/db"),
        ("postgresql://lab:p@ss/w?rd@host/db", "postgresql://…"),
        ("postgresql://host/db?user=u&password=secret&sslmode=require", "postgresql://host/db"),
        ("postgresql://[::1/db", "postgresql://…"),
        ("uptimes.db", "…"),
    ],
)
def test_a_url_in_a_message_contains_no_credentials(url: str, shown: str) -> None:
    assert redact_database_url(url) == shown

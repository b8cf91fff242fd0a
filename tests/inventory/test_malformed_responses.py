"""Malformed responses from a workspace cause at most an error message, never a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from example_counts import at_most_examples
from inventory.scan.homes import NothingToScan, find_roots
from inventory.scan.run import ScanRequest
from inventory.scan.users import User, list_users
from inventory.spark.clusters import compatibility_problems, get_cluster
from inventory.spark.errors import SparkError
from inventory.transport.response import ConnectError, Response
from inventory.transport.workspace import WorkspaceApi, WorkspaceError

HOST = "https://lab.example"
KEYS = st.sampled_from(
    "Resources userName id displayName active totalResults groups display members value repos path url branch"
    " objects files is_dir object_type error_code message schemas next_page_token disable_legacy_dbfs state".split()
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.sampled_from(["", "x", "/Users/a", "a/b", "\ud800", "..", "g"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=4) | VALUES


class MalformedClient:
    """A client that returns the documents in `answers` by path, and `default` for all other paths."""

    host, credential_source = HOST, "the environment"

    def __init__(self, answers: Mapping[str, Any], default: Any = None, status: int = 200) -> None:
        self._answers, self._default, self._status = answers, default, status

    def get(self, path: str, query: Mapping[str, str]) -> Response:
        return Response(self._status, self._answers.get(path.rpartition("/")[2], self._default))


def workspace(answers: Mapping[str, Any], default: Any = None, status: int = 200) -> WorkspaceApi:
    return WorkspaceApi(MalformedClient(answers, default, status))  # type: ignore[arg-type]


@at_most_examples(300)
@given(DOCUMENTS, st.sampled_from([200, 204, 400, 403, 404]))
def test_a_malformed_response_causes_no_traceback(document, status):
    api = workspace({}, document, status)
    for ask in (
        lambda: api.identity(),
        lambda: list_users(api),
        lambda: list_users(api, group="g", service_principals=True, active_only=True),
        lambda: api.git_folders(),
        lambda: api.is_dbfs_disabled(),
        lambda: find_roots(api, ScanRequest(output=None, all_homes=True, shared=True)),  # type: ignore[arg-type]
        lambda: find_roots(api, ScanRequest(output=None, users=("dana@x.org",))),  # type: ignore[arg-type]
        lambda: compatibility_problems(get_cluster(api.client, "c"), "3.12"),
    ):
        try:
            ask()
        except (WorkspaceError, SparkError, NothingToScan) as error:
            assert HOST in str(error) or "nothing to scan" in str(error)


def test_users_are_listed_despite_invalid_entries():
    users = {"Resources": [7, {"id": "1"}, {"id": "2", "userName": "a\ud800"}, {"id": "3", "userName": "dana@x.org"}]}
    assert list_users(workspace({"Users": users})) == [
        User("a\\ud800", problem="the user name has a lone surrogate, so no request can address the home"),
        User("dana@x.org"),
        User("entry 1 in the list of Users", problem="its entry in the list of Users has no userName"),
        User("entry without an id in the list of Users", problem="its entry in the list of Users has no userName"),
    ]


def test_a_list_that_ends_too_early_is_an_error():
    class Short(MalformedClient):
        def get(self, path: str, query: Mapping[str, str]) -> Response:
            first = query["startIndex"] == "1"
            return Response(200, {"totalResults": 3, "Resources": [{"id": "1", "userName": "a"}] if first else []})

    with pytest.raises(WorkspaceError, match="the list of Users in https://lab.example ends after 1 of 3"):
        list_users(WorkspaceApi(Short({})))  # type: ignore[arg-type]


def test_unreadable_group_members_are_an_error():
    groups = {"Resources": [{"id": "1", "displayName": "g", "members": [{"display": "x"}]}]}
    with pytest.raises(WorkspaceError, match="the members of group 1 in https://lab.example cannot be read"):
        list_users(workspace({"Users": {"Resources": []}, "Groups": groups}), group="g")


def test_a_rejected_credential_is_reported_with_its_source():
    answer = {"error_code": 403, "message": "Invalid access token."}
    with pytest.raises(
        WorkspaceError, match="^https://lab.example rejected the credential from the environment: Invalid"
    ):
        workspace({}, answer, 403).identity()


def test_an_unreachable_host_is_reported_without_retries():
    paths: list[str] = []

    class Refusing(MalformedClient):
        def get(self, path: str, query: Mapping[str, str]) -> Response:
            paths.append(path)
            raise ConnectError("connection refused")

    with pytest.raises(WorkspaceError, match=r"^https://lab\.example cannot be reached: connection refused\.$"):
        WorkspaceApi(Refusing({})).identity()  # type: ignore[arg-type]
    assert len(paths) == 1

"""Host and credential come from one source, and a token is sent only to the host that its own source specifies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from databricks.sdk.config import Config
from hypothesis import given
from hypothesis import strategies as st

from labkit.workspace.choice import (
    AUTH_TYPE,
    HOST,
    PROFILE,
    URL,
    WORKSPACE_VARIABLES,
    Profiles,
    WorkspaceChoice,
    WorkspaceChoiceError,
    WorkspaceNotConfigured,
    apply_choice,
    choose,
    terraform_conflict,
    workspace_url,
)
from labkit.workspace.choice import (
    WorkspaceOptions as Options,
)

A, B, C = "https://a.example", "https://b.example", "https://c.example"
TOKEN, SECRET = "DATABRICKS_TOKEN", "DATABRICKS_CLIENT_SECRET"
FILE = f"""
[DEFAULT]
host = {A}
token = token-of-default
[b]
host = b.example/
token = token-of-b
[login]
host = {C}
auth_type = databricks-cli
[bare]
host = {C}
"""


def chosen(flags: Options | None = None, *, file: str = FILE, dotenv: Any = None, **environ: str) -> WorkspaceChoice:
    return choose(flags or Options(), environ=environ, dotenv=dotenv or {}, profiles=Profiles(file))


def seen_by_the_sdk(choice: WorkspaceChoice, environ: Mapping[str, str], file: str) -> tuple[str, set[str]]:
    """Return the host, tokens and secrets that the SDK uses: from arguments, then variables, then the profile."""
    left = dict(environ)
    apply_choice(choice, left)
    variables = {"host": HOST, "token": TOKEN, "client_secret": SECRET, "profile": PROFILE}
    found = {key: left[name] for key, name in variables.items() if left.get(name)} | dict(choice.arguments)
    profile = Profiles(file).by_name.get(found.get("profile", ""), {})
    found = profile | found
    return workspace_url(found["host"], "host"), {found[key] for key in ("token", "client_secret") if key in found}


@pytest.mark.parametrize(
    ("given", "source", "host", "credential"),
    [
        ({"flags": Options(B, "t"), HOST: A, TOKEN: "e"}, "the command line", B, {"t"}),
        ({"flags": Options(profile="b"), HOST: A, TOKEN: "e"}, "profile b", B, {"token-of-b"}),
        ({"flags": Options("B.example:443/", profile="b")}, "profile b", B, {"token-of-b"}),
        ({"flags": Options(A), HOST: A, TOKEN: "e"}, "the environment", A, {"e"}),
        ({"flags": Options(B), PROFILE: "b"}, "profile b", B, {"token-of-b"}),
        ({"flags": Options(B), HOST: A, TOKEN: "e"}, "profile b", B, {"token-of-b"}),
        ({"flags": Options(A), "dotenv": {HOST: A, TOKEN: "d"}}, ".env", A, {"d"}),
        ({HOST: A, TOKEN: "e", "dotenv": {HOST: B, TOKEN: "d"}}, "the environment", A, {"e"}),
        ({HOST: A, TOKEN: "e", "dotenv": {HOST: A, TOKEN: "e"}}, "the environment", A, {"e"}),
        ({HOST: "A.example", "dotenv": {HOST: A + "/", TOKEN: "d"}}, ".env", A, {"d"}),
        ({URL: "a.example", TOKEN: "e"}, "the environment", A, {"e"}),
        ({HOST: A, SECRET: "s", "DATABRICKS_CLIENT_ID": "i"}, "the environment", A, {"s"}),
        ({PROFILE: "b"}, "profile b", B, {"token-of-b"}),
        ({PROFILE: "b", HOST: "b.example"}, "profile b", B, {"token-of-b"}),
        ({PROFILE: "b", HOST: B, TOKEN: "e"}, "the environment", B, {"e"}),
        ({"dotenv": {HOST: B, TOKEN: "d"}}, ".env", B, {"d"}),
        ({"dotenv": {PROFILE: "b"}}, "profile b", B, {"token-of-b"}),
        ({}, "profile DEFAULT", A, {"token-of-default"}),
        ({"file": "[__settings__]\ndefault_profile = b\n" + FILE}, "profile b", B, {"token-of-b"}),
        # Logins that are not tied to one workspace.
        ({HOST: B, AUTH_TYPE: "azure-cli", "dotenv": {HOST: A, TOKEN: "d"}}, "the environment", B, set()),
        (
            {"flags": Options(C), "ARM_CLIENT_ID": "i", HOST: A, TOKEN: "e", "file": ""},
            "--workspace-url",
            C,
            set(),
        ),
        ({"flags": Options(profile="login"), HOST: A, TOKEN: "e"}, "profile login", C, set()),
        ({HOST: A}, "the environment", A, set()),
    ],
)
def test_only_the_source_with_the_highest_precedence_is_used(
    given: dict[str, Any], source: str, host: str, credential: set[str]
) -> None:
    choice = chosen(**given)
    environ = {name: value for name, value in given.items() if name.isupper()}
    assert (choice.source, choice.host) == (source, host)
    assert seen_by_the_sdk(choice, environ, given.get("file", FILE)) == (host, credential)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({HOST: A, PROFILE: "b"}, f"specifies two workspaces: {HOST} is {A}, and {PROFILE} is b, whose host is {B}"),
        ({PROFILE: "b", TOKEN: "x"}, f"{TOKEN} and profile b, which {PROFILE} selects, cannot be combined"),
        ({HOST: A, "dotenv": {TOKEN: "x"}}, f"{HOST} in the environment specifies {A}, but {TOKEN} in .env comes from"),
        ({TOKEN: "x", "dotenv": {HOST: A}}, f"{HOST} in .env specifies {A}, but {TOKEN} in the environment comes from"),
        ({HOST: A, "dotenv": {HOST: B, TOKEN: "x"}}, f"{TOKEN} in .env (for {B}) comes from a different source"),
        ({"flags": Options(profile="bare"), TOKEN: "x"}, f"profile bare specifies {C}, but {TOKEN} in the environment"),
        ({"flags": Options(profile="bare"), HOST: A, SECRET: "x"}, f"{SECRET} in the environment (for {A})"),
        ({"flags": Options("https://d.example"), HOST: A, TOKEN: "x"}, "--workspace-url specifies https://d.example"),
        ({"flags": Options("https://d.example"), PROFILE: "b"}, f"profile b (for {B}) comes from a different source"),
        ({"flags": Options(A, profile="b")}, f"--profile b has the host {B}, but --workspace-url is {A}"),
        ({"flags": Options(A, "x", "b")}, "--token and --profile cannot be combined"),
        ({"flags": Options(token="x")}, "--token belongs to a workspace: add --workspace-url"),
        ({HOST: A, URL: B}, "in the environment specify different workspaces"),
        (
            {"flags": Options(A), "file": FILE + f"[again]\nhost = {A}\n"},
            f"several profiles have the host {A} (DEFAULT, again)",
        ),
        ({"file": "token = x"}, "is not a Databricks configuration file (line 1)"),
    ],
)  # fmt: skip
def test_the_error_for_mixed_sources_contains_both(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(WorkspaceChoiceError) as raised:
        chosen(**given)
    assert sentence in str(raised.value)
    assert not isinstance(raised.value, WorkspaceNotConfigured)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"file": ""},
            "no workspace is configured: set DATABRICKS_HOST and a credential in .env, or DATABRICKS_CONFIG_PROFILE.",
        ),
        (
            {"flags": Options(profile="nope")},
            "there is no profile 'nope'; existing profiles: DEFAULT, b, bare, login.",
        ),
        ({PROFILE: "nope", "file": ""}, "there is no profile 'nope'; existing profiles: none."),
        ({"flags": Options(profile="x"), "file": "[x]\ntoken = t"}, "profile x has no host"),
        ({TOKEN: "x", "file": ""}, f"the environment has {TOKEN} but specifies no workspace: set {HOST}, too."),
    ],
)
def test_a_missing_workspace_is_reported_in_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(WorkspaceNotConfigured) as raised:
        chosen(**given)
    assert sentence in str(raised.value)


@pytest.mark.parametrize("blank", ["\n", "\r", "\r\n", " ", "\t", "\x00", "\u2028", "\xa0"])
@pytest.mark.parametrize(
    ("given", "setting"),
    [
        ({HOST: A, TOKEN: "BAD"}, TOKEN),
        ({HOST: "BAD", TOKEN: "t"}, HOST),
        ({HOST: A, SECRET: "BAD"}, SECRET),
        ({URL: "https://BAD", TOKEN: "t"}, URL),
        ({"dotenv": {HOST: A, TOKEN: "BAD"}}, f"{TOKEN} in .env"),
        ({"flags": Options(A, "BAD", token_name="--token-file")}, "--token-file"),
        ({"flags": Options("BAD", "t")}, "--workspace-url"),
    ],
)
def test_an_error_for_a_space_or_line_break_contains_the_settings_name(
    given: dict[str, Any], setting: str, blank: str
) -> None:
    bad = f"hidden{blank}value"

    def filled(value: Any) -> Any:
        if isinstance(value, Options):
            url = value.url.replace("BAD", bad) if value.url else None
            return Options(url, (value.token or "").replace("BAD", bad), token_name=value.token_name)
        return (
            {name: filled(inner) for name, inner in value.items()}
            if isinstance(value, dict)
            else value.replace("BAD", bad)
        )

    with pytest.raises(WorkspaceChoiceError) as raised:
        chosen(**{name: filled(value) for name, value in given.items()})
    assert str(raised.value).startswith(setting)
    assert "hidden" not in str(raised.value) and "value\n" not in str(raised.value)


@pytest.mark.parametrize(("pasted"), ["a.example", "https://A.example/?o=12", "https://a.example:443/#home", A + "/"])
def test_pasted_urls_are_normalised(pasted: str) -> None:
    assert workspace_url(pasted, HOST) == A


def test_a_different_port_or_scheme_counts_as_a_different_host() -> None:
    given = ("http://localhost:80", "http://127.0.0.1:443", "https://x:8443", "https://[::1]:443")
    assert [workspace_url(each, HOST) for each in given] == [
        "http://localhost",
        "http://127.0.0.1:443",
        "https://x:8443",
        "https://[::1]",
    ]


@pytest.mark.parametrize("bad", ["ftp://x", "https://user:hidden@x", "https://", "https://x:port", "https://x:0"])
def test_a_malformed_url_is_rejected_without_being_shown(bad: str) -> None:
    with pytest.raises(WorkspaceChoiceError, match=f"^{HOST} is not a workspace URL") as raised:
        workspace_url(bad, HOST)
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize("host", ["http://lab.example", "http://10.0.0.7:8080", "http://localhost.example"])
def test_http_is_accepted_for_this_machine_only(host: str) -> None:
    with pytest.raises(WorkspaceChoiceError, match=f"^{HOST} is http, .*; it must be https://<name>.$"):
        workspace_url(host, HOST)


def test_every_variable_of_the_sdk_is_classified() -> None:
    free = {"ARM_", "GOOGLE_", "DATABRICKS_GOOGLE_", "DATABRICKS_DEBUG_", "DATABRICKS_DISABLE_"}
    free |= {"DATABRICKS_CONFIG_FILE", "DATABRICKS_CLI_PATH", "DATABRICKS_RATE_LIMIT"}
    free |= {"DATABRICKS_CLUSTER_ID", "DATABRICKS_WAREHOUSE_ID", "DATABRICKS_SERVERLESS_COMPUTE_ID"}
    known = {name for one in Config.attributes() for name in (one.env, *one.env_aliases) if name}
    assert {name for name in known if not name.startswith(tuple(free))} - set(WORKSPACE_VARIABLES) == set()


def test_the_environment_contains_only_the_choice_afterwards() -> None:
    environ = {
        HOST: A,
        TOKEN: "e",
        "DATABRICKS_DISCOVERY_URL": "https://x",
        AUTH_TYPE: "pat",
        "ARM_X": "y",
    }
    apply_choice(chosen(Options(profile="b"), **environ), environ)
    assert environ == {PROFILE: "b", AUTH_TYPE: "pat", "ARM_X": "y"}


def test_a_choice_that_terraform_does_not_share_is_reported() -> None:
    def problem(flags: Options, **environ: str) -> str:
        return terraform_conflict(chosen(flags, **environ), environ, flags)

    target = Options(profile="b")
    assert problem(target) == problem(target, **{HOST: B}) == problem(Options(), **{HOST: A, TOKEN: "e"}) == ""
    assert problem(Options(A), **{HOST: A + "/", TOKEN: "e"}) == problem(Options()) == ""
    assert problem(Options(), **{HOST: B, TOKEN: "e", PROFILE: "b"}) == ""
    assert TOKEN in problem(target, **{TOKEN: "e", HOST: B})
    assert HOST in problem(target, **{HOST: A})
    assert PROFILE in problem(Options(B))
    assert HOST in problem(Options(), **{URL: A, TOKEN: "e"})


HOSTS = st.sampled_from(["a.example", A, A + "/x", "b.example:443", B, C])


def sources(tag: str) -> st.SearchStrategy[dict[str, str]]:
    """Return a source in which every secret contains the source's name."""
    values: dict[str, st.SearchStrategy[str]] = {
        HOST: HOSTS,
        URL: HOSTS,
        TOKEN: st.just(f"secret-token-{tag}"),
        SECRET: st.just(f"secret-client-{tag}"),
        "DATABRICKS_CLIENT_ID": st.just("id"),
        PROFILE: st.sampled_from(["DEFAULT", "p", "q", "gone"]),
        AUTH_TYPE: st.sampled_from(["pat", "azure-cli", "oauth-m2m"]),
        "ARM_CLIENT_ID": st.just("arm"),
    }
    return st.fixed_dictionaries({}, optional=values)


def files() -> st.SearchStrategy[dict[str, dict[str, str]]]:
    def profile(name: str) -> st.SearchStrategy[dict[str, str]]:
        values = {"token": st.just(f"secret-token-{name}"), "client_secret": st.just(f"secret-client-{name}")}
        return st.fixed_dictionaries({}, optional={"host": HOSTS, **values, "auth_type": st.just("pat")})

    return st.fixed_dictionaries({}, optional={name: profile(name) for name in ("DEFAULT", "p", "q")})


@given(
    st.builds(
        Options,
        url=st.none() | HOSTS,
        token=st.none() | st.just("secret-token-flags"),
        profile=st.none() | st.sampled_from(["DEFAULT", "p", "q", "gone"]),
    ),
    sources("environment"),
    sources("dotenv"),
    files(),
)
def test_no_secret_is_sent_to_a_host_from_a_different_source(
    flags: Options, environ: dict[str, str], dotenv: dict[str, str], file: dict[str, dict[str, str]]
) -> None:
    text = "\n".join(
        f"[{name}]\n" + "\n".join(f"{key} = {value}" for key, value in values.items()) for name, values in file.items()
    )
    named = {"flags": [flags.url], "environment": [environ.get(HOST), environ.get(URL)]}
    named |= {"dotenv": [dotenv.get(HOST), dotenv.get(URL)]}
    named |= {name: [values.get("host")] for name, values in file.items()}
    hosts = {source: {workspace_url(each, "") for each in found if each} for source, found in named.items()}
    try:
        choice = choose(flags, environ=environ, dotenv=dotenv, profiles=Profiles(text))
    except WorkspaceChoiceError as error:
        assert "secret-" not in str(error)
        return
    host, secrets = seen_by_the_sdk(choice, environ, text)
    assert host == choice.host
    for secret in secrets:
        assert host in hosts[secret.rpartition("-")[2]], (choice.source, secret)
    assert "secret-" not in repr(choice) + repr(flags)
    # Choosing again in the resulting environment gives the same choice.
    left = dict(environ)
    apply_choice(choice, left)
    if not flags.token:
        again = choose(flags, environ=left, dotenv=dotenv, profiles=Profiles(text))
        assert seen_by_the_sdk(again, left, text) == (host, secrets)

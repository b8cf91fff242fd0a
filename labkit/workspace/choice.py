"""The rule by which all programs choose host and credential. Pure: no I/O.

Command-line options override a profile, a profile overrides the environment, and the environment overrides `.env`, each
as a unit. The SDK and Terraform's provider take what one source lacks from the next, and so can send one workspace's
token to a different workspace. Here a token or secret is sent only to the host that its own source specifies; a mix of
sources is an error.
"""

import configparser
import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from labkit.addresses import is_loopback

HOST, URL, PROFILE = "DATABRICKS_HOST", "DATABRICKS_WORKSPACE_URL", "DATABRICKS_CONFIG_PROFILE"
AUTH_TYPE = "DATABRICKS_AUTH_TYPE"
CONFIG_FILE = "DATABRICKS_CONFIG_FILE"
RESOURCE = "DATABRICKS_AZURE_RESOURCE_ID"

CREDENTIAL_VARIABLES = (
    "DATABRICKS_TOKEN",
    "DATABRICKS_CLIENT_SECRET",
    "DATABRICKS_CLIENT_ID",
    "DATABRICKS_PASSWORD",
    "DATABRICKS_USERNAME",
    "DATABRICKS_METADATA_SERVICE_URL",
    "DATABRICKS_OIDC_TOKEN",
    "DATABRICKS_OIDC_TOKEN_ENV",
    "DATABRICKS_OIDC_TOKEN_FILEPATH",
    "DATABRICKS_OIDC_TOKEN_FILE",
)
"""Variables that contain or locate a credential for one workspace."""

_DETAILS = (
    "DATABRICKS_ACCOUNT_ID",
    "DATABRICKS_WORKSPACE_ID",
    "DATABRICKS_GROUP_ID",
    "DATABRICKS_CLOUD",
    # The client secret is sent to the address in this URL's document.
    "DATABRICKS_DISCOVERY_URL",
    "DATABRICKS_TOKEN_AUDIENCE",
)
WORKSPACE_VARIABLES = (HOST, URL, PROFILE, RESOURCE, *CREDENTIAL_VARIABLES, *_DETAILS, AUTH_TYPE)
"""All variables that are specific to one workspace. They are always taken together, from one source."""

HOST_INDEPENDENT_LOGINS = frozenset(
    "azure-cli azure-client-secret azure-msi databricks-cli external-browser github-oidc-azure google-credentials"
    " google-id".split()
)
"""Values of DATABRICKS_AUTH_TYPE for logins that are valid for any host, not for one particular workspace."""

_HOST_INDEPENDENT_VARIABLES = (
    "ARM_CLIENT_ID",
    "ARM_CLIENT_SECRET",
    "ARM_TENANT_ID",
    "ARM_USE_MSI",
    "DATABRICKS_GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_CREDENTIALS",
)
_HEADER_VARIABLES = frozenset({"DATABRICKS_TOKEN", "DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET"})
_AUTH_TYPES = {
    "token": "pat",
    "client_secret": "oauth-m2m",
    "password": "basic",
    "azure_client_secret": "azure-client-secret",
}
_LOGIN_KEYS = frozenset(
    "token client_id client_secret username password metadata_service_url oidc_token_env oidc_token_filepath auth_type"
    " azure_client_id azure_client_secret azure_use_msi google_credentials google_service_account".split()
)
_DEFAULT_PORTS = {"https": 443, "http": 80}

ENVIRONMENT, DOTENV = "the environment", ".env"
WORKSPACE_NOT_CONFIGURED = f"no workspace is configured: set {HOST} and a credential in .env, or {PROFILE}."


class WorkspaceChoiceError(ValueError):
    """The sources contradict each other, or a value is malformed. The message contains no secret."""


class WorkspaceNotConfigured(WorkspaceChoiceError):
    """No source specifies a workspace, or the specified profile does not exist."""


@dataclass(frozen=True)
class WorkspaceOptions:
    """Options from the command line, or from a target in a settings file. The fields `*_name` are for messages."""

    url: str | None = None
    token: str | None = field(default=None, repr=False)
    profile: str | None = None
    url_name: str = "--workspace-url"
    token_name: str = "--token"
    profile_name: str = "--profile"


@dataclass(frozen=True)
class WorkspaceChoice:
    """The chosen source, and the settings from it that are passed to the SDK."""

    source: str
    """For messages: `profile lab`, `the command line`, `the environment`."""
    host: str
    """Normalised; empty if the SDK finds the host by itself."""
    arguments: Mapping[str, str] = field(repr=False)
    """Arguments for the SDK's Config."""
    variables: Mapping[str, str] = field(repr=False)
    """The variables from BOUND that the SDK and child processes see; all others are removed."""


def workspace_url(host: str, setting: str) -> str:
    """Return `https://name` or `https://name:port` from what a user pasted; `http` is accepted for loopback addresses
    only.

    Raises WorkspaceChoiceError, whose message contains the setting's name and not its value.
    """
    if any(character.isspace() or not character.isprintable() for character in host):
        raise WorkspaceChoiceError(f"{setting} contains a space, a line break or a control character; remove it.")
    parts = urlsplit(host if "://" in host else f"https://{host}")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.username is not None or port == 0:
        raise WorkspaceChoiceError(f"{setting} is not a workspace URL; it must be https://<name>.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise WorkspaceChoiceError(
            f"{setting} is http, which would send the credential unencrypted; it must be https://<name>."
        )
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{name}" + (f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else "")


def is_header_safe(secret: str) -> bool:
    """Return whether a token consists of printable ASCII characters without spaces, as an HTTP header requires."""
    return re.fullmatch(r"[!-~]+", secret) is not None


class Profiles:
    """The profiles in a Databricks configuration file, parsed on first use."""

    def __init__(self, text: str = "", name: str = "the Databricks configuration file") -> None:
        self._text, self._name = text, name

    @cached_property
    def _sections(self) -> dict[str, dict[str, str]]:
        parser = configparser.ConfigParser(interpolation=None, default_section="\0")
        try:
            parser.read_string(self._text)
        except configparser.Error as error:
            line = getattr(error, "lineno", None)
            position = f" (line {line})" if line else ""
            raise WorkspaceChoiceError(f"{self._name} is not a Databricks configuration file{position}.") from None
        return {name: dict(parser[name]) for name in parser.sections()}

    @cached_property
    def by_name(self) -> dict[str, dict[str, str]]:
        """The profiles by name. Raises WorkspaceChoiceError if the text is not a configuration file."""
        return {name: values for name, values in self._sections.items() if name != "__settings__"}

    @property
    def default(self) -> str | None:
        """The profile used if no source specifies a workspace. Raises WorkspaceChoiceError as `by_name` does."""
        name = self._sections.get("__settings__", {}).get("default_profile", "").strip()
        if name:
            return name
        return "DEFAULT" if self.by_name.get("DEFAULT", {}).get("host") else None


@dataclass(frozen=True)
class _Candidate:
    """The workspace settings from one source."""

    source: str
    host: str
    """Empty if the source has a credential but no workspace, or specifies the workspace by its Azure resource id."""
    host_name: str
    """The setting that contains the host."""
    credential: str
    """The setting that contains a credential, or its name for messages; empty without a credential."""
    arguments: Mapping[str, str] = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)
    names_workspace: bool = True
    """Whether the source specifies a workspace."""
    login: str = ""
    """The authentication type that the source sets."""


def choose(
    flags: WorkspaceOptions,
    *,
    environ: Mapping[str, str],
    dotenv: Mapping[str, str],
    profiles: Profiles,
    is_runtime: bool = False,
) -> WorkspaceChoice:
    """Return the one source of host and credential.

    `dotenv` contains the variables from `.env`. `is_runtime` means that the program runs on Databricks compute, where
    the SDK finds the workspace by itself. Raises WorkspaceChoiceError, and WorkspaceNotConfigured if no source
    specifies a workspace.
    """
    if flags.token is not None:
        return _from_token(flags)

    def lower() -> Iterator[_Candidate]:
        for source, variables in ((ENVIRONMENT, environ), (DOTENV, dotenv)):
            if found := _from_variables(source, variables, profiles):
                yield found

    if flags.profile:
        chosen = _from_profile(flags.profile, profiles)
        if flags.url and (given := workspace_url(flags.url, flags.url_name)) != chosen.host:
            raise WorkspaceChoiceError(
                f"{flags.profile_name} {flags.profile} has the host {chosen.host}, but {flags.url_name} is {given};"
                " use only one of them."
            )
    elif flags.url:
        host = workspace_url(flags.url, flags.url_name)
        chosen = _Candidate(flags.url_name, host, flags.url_name, "", {"host": host}, {HOST: host})
    else:
        sources = list(lower())
        if not sources:
            return _fallback(profiles, is_runtime)
        chosen, rest = sources[0], sources[1:]
        if not chosen.names_workspace:
            raise _missing_host_error(chosen, rest)
        return _to_choice(_with_credential(chosen, rest, environ, dotenv), environ, dotenv)
    if chosen.credential:
        return _to_choice(chosen, environ, dotenv)
    matching = _profiles_of_host(chosen.host, profiles) if not flags.profile else None
    return _to_choice(_with_credential(chosen, list(lower()), environ, dotenv, matching), environ, dotenv)


def apply_choice(choice: WorkspaceChoice, environ: MutableMapping[str, str]) -> None:
    """Remove the other sources' workspace variables from the environment, and add the chosen source's."""
    for name in WORKSPACE_VARIABLES:
        if name in environ and name not in choice.variables:
            del environ[name]
    environ.update(choice.variables)


def terraform_conflict(choice: WorkspaceChoice, environ: Mapping[str, str], flags: WorkspaceOptions) -> str:
    """Return why Terraform's provider would not make this choice, as a sentence; empty if it would.

    The provider reads the same environment, unchanged. `flags` are the settings in its provider block.
    """
    visible = {name: environ[name] for name in WORKSPACE_VARIABLES if environ.get(name)}
    allowed = {HOST} if HOST in visible and workspace_url(visible[HOST], HOST) == choice.host else set()
    # A profile next to a host and a credential has the same host; otherwise `choose` would have failed.
    allowed |= {PROFILE} if choice.source == ENVIRONMENT else set()
    if extra := [
        name for name, value in visible.items() if name not in allowed and choice.variables.get(name) != value
    ]:
        return f"Terraform would mix {' and '.join(extra)} from the environment with {choice.source}; unset it."
    missing = [name for name, value in choice.variables.items() if name not in visible and value != "DEFAULT"]
    given = {PROFILE: flags.profile, HOST: flags.url}
    missing = [name for name in missing if name != AUTH_TYPE and not given.get(name)]
    if missing:
        return f"Terraform does not see the choice of {choice.source}: set {' and '.join(missing)} in the environment."
    return ""


def _from_token(flags: WorkspaceOptions) -> WorkspaceChoice:
    token = flags.token or ""
    if flags.profile:
        raise WorkspaceChoiceError(
            f"{flags.token_name} and {flags.profile_name} cannot be combined; use only one of them."
        )
    if not flags.url:
        raise WorkspaceChoiceError(f"{flags.token_name} belongs to a workspace: add {flags.url_name}.")
    host = workspace_url(flags.url, flags.url_name)
    if not is_header_safe(token):
        raise WorkspaceChoiceError(_malformed_secret(flags.token_name))
    return WorkspaceChoice("the command line", host, {"host": host, "token": token, "auth_type": "pat"}, {})


def _from_profile(name: str, profiles: Profiles) -> _Candidate:
    values = profiles.by_name.get(name)
    if values is None:
        known = ", ".join(sorted(profiles.by_name))
        raise WorkspaceNotConfigured(f"there is no profile {name!r}; existing profiles: {known or 'none'}.")
    if not values.get("host"):
        raise WorkspaceNotConfigured(f"profile {name} has no host.")
    host = workspace_url(values["host"], f"host of profile {name}")
    for key in ("token", "client_id", "client_secret"):
        if values.get(key) and not is_header_safe(values[key]):
            raise WorkspaceChoiceError(_malformed_secret(f"{key} of profile {name}"))
    kinds = [kind for key, kind in _AUTH_TYPES.items() if values.get(key)]
    login = values.get("auth_type") or (kinds[0] if len(kinds) == 1 else "")
    has_login = next((key for key in values if key in _LOGIN_KEYS and values[key]), "")
    return _Candidate(
        source=f"profile {name}",
        host=host,
        host_name=f"profile {name}",
        credential=f"profile {name}" if has_login else "",
        # The type is set: otherwise a login from the environment would replace the profile's own or conflict with it.
        arguments={"profile": name} | ({"auth_type": login} if login else {}),
        variables={PROFILE: name},
        login=login,
    )


def _from_variables(source: str, variables: Mapping[str, str], profiles: Profiles) -> _Candidate | None:
    """Return the candidate from the environment or `.env`; None if it has no workspace variables."""
    values = {name: variables[name] for name in WORKSPACE_VARIABLES if variables.get(name)}
    hosts = {name: workspace_url(values[name], _setting_name(name, source)) for name in (HOST, URL) if name in values}
    for name in values.keys() & _HEADER_VARIABLES:
        if not is_header_safe(values[name]):
            raise WorkspaceChoiceError(_malformed_secret(_setting_name(name, source)))
    if len(set(hosts.values())) > 1:
        raise WorkspaceChoiceError(f"{HOST} and {URL} in {source} specify different workspaces; unset one of them.")
    host = next(iter(hosts.values()), "")
    credential = next((name for name in CREDENTIAL_VARIABLES if name in values), "")
    if named := values.get(PROFILE):
        profile = _from_profile(named, profiles)
        if host and host != profile.host:
            raise WorkspaceChoiceError(
                f"{source} specifies two workspaces: {next(iter(hosts))} is {host}, and {PROFILE} is {named},"
                f" whose host is {profile.host}; unset one of them."
            )
        if credential and not host:
            raise WorkspaceChoiceError(
                f"{_setting_name(credential, source)} and profile {named}, which {PROFILE} selects, cannot be combined:"
                " a token or secret is sent only to the host that its own source specifies. Unset one of them."
            )
        if not credential:
            return profile
        del values[PROFILE]
    if not host and RESOURCE not in values and not credential:
        return None
    for name in hosts:
        values[name] = host
    if hosts:
        values[HOST] = host
    return _Candidate(
        source=source,
        host=host,
        host_name=next(iter(hosts), RESOURCE),
        credential=credential,
        arguments={"host": host} if host else {},
        variables=values,
        names_workspace=bool(host or RESOURCE in values),
        login=values.get(AUTH_TYPE, ""),
    )


def _with_credential(
    chosen: _Candidate,
    lower: list[_Candidate],
    environ: Mapping[str, str],
    dotenv: Mapping[str, str],
    matching: list[_Candidate] | None = None,
) -> _Candidate:
    """Return the candidate, or a lower source that has a credential for the same host.

    Raises WorkspaceChoiceError if only a source for a different host has a credential.
    """
    if chosen.credential:
        return chosen
    for other in lower:
        if other.credential and other.host == chosen.host and other.names_workspace:
            return other
    if matching:
        if len(matching) > 1:
            names = ", ".join(one.source.removeprefix("profile ") for one in matching)
            raise WorkspaceChoiceError(f"several profiles have the host {chosen.host} ({names}): specify one of them.")
        return matching[0]
    stray = next((other for other in lower if other.credential), None)
    if stray is None or _has_host_independent_login(chosen, environ, dotenv):
        return chosen
    raise _mixed_sources_error(chosen, stray)


def _profiles_of_host(host: str, profiles: Profiles) -> list[_Candidate]:
    """Return the profiles for the host, without malformed ones."""
    found = []
    for name in profiles.by_name:
        try:
            candidate = _from_profile(name, profiles)
        except WorkspaceChoiceError:
            continue
        if candidate.host == host:
            found.append(candidate)
    return found


def _has_host_independent_login(chosen: _Candidate, environ: Mapping[str, str], dotenv: Mapping[str, str]) -> bool:
    """Return whether the variables contain a login that is valid for any host."""
    return bool(chosen.login in HOST_INDEPENDENT_LOGINS or _host_independent_type(environ, dotenv)) or any(
        variables.get(name) for variables in (environ, dotenv) for name in _HOST_INDEPENDENT_VARIABLES
    )


def _host_independent_type(environ: Mapping[str, str], dotenv: Mapping[str, str]) -> str:
    types = [variables.get(AUTH_TYPE, "") for variables in (environ, dotenv)]
    return next((kind for kind in types if kind in HOST_INDEPENDENT_LOGINS), "")


def _to_choice(chosen: _Candidate, environ: Mapping[str, str], dotenv: Mapping[str, str]) -> WorkspaceChoice:
    login = chosen.login or ("" if chosen.credential else _host_independent_type(environ, dotenv))
    variables = {name: value for name, value in chosen.variables.items() if name != AUTH_TYPE}
    # A profile sets the type by an argument; Terraform needs the variable only to override a different value.
    if login and (AUTH_TYPE in chosen.variables or environ.get(AUTH_TYPE) or not chosen.credential):
        variables[AUTH_TYPE] = login
    return WorkspaceChoice(chosen.source, chosen.host, chosen.arguments, variables)


def _fallback(profiles: Profiles, is_runtime: bool) -> WorkspaceChoice:
    if is_runtime:
        return WorkspaceChoice("this compute", "", {}, {})
    if name := profiles.default:
        chosen = _from_profile(name, profiles)
        return WorkspaceChoice(chosen.source, chosen.host, chosen.arguments, chosen.variables)
    raise WorkspaceNotConfigured(WORKSPACE_NOT_CONFIGURED)


def _missing_host_error(chosen: _Candidate, lower: list[_Candidate]) -> WorkspaceChoiceError:
    """Return the error for a source that has a credential but specifies no workspace."""
    other = next((one for one in lower if one.names_workspace), None)
    if other is None:
        return WorkspaceNotConfigured(
            f"{chosen.source} has {chosen.credential} but specifies no workspace: set {HOST}, too."
        )
    return _mixed_sources_error(other, chosen)


def _mixed_sources_error(host: _Candidate, credential: _Candidate) -> WorkspaceChoiceError:
    host_setting = f"{host.host_name} in {host.source}" if host.host_name in (HOST, URL, RESOURCE) else host.host_name
    source = "" if credential.credential.startswith("profile ") else f" in {credential.source}"
    for_host = f" (for {credential.host})" if credential.host else ""
    return WorkspaceChoiceError(
        f"{host_setting} specifies {host.host or 'the workspace'}, but {credential.credential}{source}{for_host} comes"
        " from a different source: a token or secret is sent only to the host that its own source specifies."
        " Set both in one place, or unset one of them."
    )


def _setting_name(name: str, source: str) -> str:
    return name if source == ENVIRONMENT else f"{name} in {source}"


def _malformed_secret(setting: str) -> str:
    return f"{setting} contains a space, a line break or a character that no token has; its value is not shown."

"""Which workspace, and who we are there: both from one source, never mixed. Pure: files and environment are arguments.

The SDK fills what a profile leaves open from the environment, so that a token of one workspace could travel to another.
Here one source is chosen first, and what it does not say stays unsaid.
"""

import configparser
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

HOST_VARIABLES = ("DATABRICKS_HOST", "DATABRICKS_WORKSPACE_URL")
"""The second is what an earlier tool called it."""


class CredentialsError(ValueError):
    """No source, or two that contradict each other; a sentence that says what to do."""


@dataclass(frozen=True)
class Credentials:
    """Arguments for the SDK's Config, and what it must not see."""

    source: str
    """For people: `profile lab`, `the command line`, `the environment`."""
    host: str
    arguments: Mapping[str, str] = field(repr=False)
    hide_environment: bool = True
    """Whether the variables DATABRICKS_* have to be out of sight, because they belong to another source."""


def read_profiles(text: str) -> dict[str, dict[str, str]]:
    """The profiles of a Databricks configuration file by name. Raises CredentialsError if it is not one."""
    parser = configparser.ConfigParser(interpolation=None, default_section="\0")
    try:
        parser.read_string(text)
    except configparser.Error as error:
        place = getattr(error, "lineno", None)
        where = f" (line {place})" if place else ""
        raise CredentialsError(f"the Databricks configuration file cannot be read{where}.") from None
    return {name: dict(parser[name]) for name in parser.sections() if name != "__settings__"}


def address(host: str) -> str:
    """`https://name` of whatever people paste: without a scheme, with a path, in capitals."""
    whole = urlsplit(host.strip() if "//" in host else f"https://{host.strip()}")
    if whole.scheme not in ("http", "https") or not whole.hostname or whole.username is not None:
        raise CredentialsError(f"{host!r} is not the address of a workspace; expected https://<name>.")
    return f"{whole.scheme}://{whole.netloc.lower()}"


def choose(
    *,
    url: str | None,
    token: str | None,
    profile: str | None,
    environ: Mapping[str, str],
    profiles: Mapping[str, Mapping[str, str]],
) -> Credentials:
    """Flags, then a profile, then the environment, then the profile DEFAULT. Raises CredentialsError."""
    if token is not None:
        if profile:
            raise CredentialsError("a token and --profile are two sources; give only one of them.")
        if not url:
            raise CredentialsError("a token belongs to a workspace: add --workspace-url.")
        arguments = {"host": address(url), "token": token, "auth_type": "pat"}
        return Credentials("the command line", arguments["host"], arguments)
    if url:
        return _of_host(address(url), profile, environ, profiles)
    name = profile or environ.get("DATABRICKS_CONFIG_PROFILE")
    if name:
        return _of_profile(name, profiles)
    if _environment_host(environ):
        return _of_environment(environ)
    if profiles.get("DEFAULT", {}).get("host"):
        return _of_profile("DEFAULT", profiles)
    raise CredentialsError(
        "no workspace is named: give --profile, or --workspace-url with --token-file, or set DATABRICKS_HOST"
        " and DATABRICKS_TOKEN."
    )


def _of_host(
    host: str, profile: str | None, environ: Mapping[str, str], profiles: Mapping[str, Mapping[str, str]]
) -> Credentials:
    """Who has an address and no credential means a source that is about this address."""
    if profile:
        chosen = _of_profile(profile, profiles)
        if chosen.host != host:
            raise CredentialsError(f"profile {profile} is of {chosen.host} and not of {host}; give only one of them.")
        return chosen
    if (named := _environment_host(environ)) and address(named) == host:
        return _of_environment(environ)
    matching = [name for name, values in profiles.items() if values.get("host") and address(values["host"]) == host]
    if len(matching) == 1:
        return _of_profile(matching[0], profiles)
    if matching:
        raise CredentialsError(f"several profiles are of {host}: name one with --profile ({', '.join(matching)}).")
    raise CredentialsError(f"there is no credential for {host}: add --token-file, or --profile instead of the address.")


def _of_profile(name: str, profiles: Mapping[str, Mapping[str, str]]) -> Credentials:
    if name not in profiles:
        there = f"there are: {', '.join(sorted(profiles))}" if profiles else "there are none"
        raise CredentialsError(f"there is no profile {name!r}; {there}.")
    host = profiles[name].get("host")
    if not host:
        raise CredentialsError(f"profile {name} names no host.")
    return Credentials(f"profile {name}", address(host), {"profile": name})


def _environment_host(environ: Mapping[str, str]) -> str | None:
    return next((environ[name] for name in HOST_VARIABLES if environ.get(name)), None)


def _of_environment(environ: Mapping[str, str]) -> Credentials:
    host = address(_environment_host(environ) or "")
    hosts = {address(environ[name]) for name in HOST_VARIABLES if environ.get(name)}
    if len(hosts) > 1:
        raise CredentialsError(f"{' and '.join(HOST_VARIABLES)} name different workspaces; unset one of them.")
    return Credentials("the environment", host, {"host": host}, hide_environment=False)

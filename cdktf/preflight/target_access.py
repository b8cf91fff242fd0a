"""Host and credential for a target in `lab.toml`, chosen by the rule that all programs share."""

from collections.abc import Mapping, MutableMapping

from lab_settings import LabSettingsError, TargetSettings
from labkit.workspace.access import choose_and_apply, choose_from
from labkit.workspace.choice import (
    HOST,
    PROFILE,
    WorkspaceChoice,
    WorkspaceChoiceError,
    WorkspaceNotConfigured,
    WorkspaceOptions,
)


def target_flags(name: str, *, host: str | None, profile: str | None) -> WorkspaceOptions:
    """Return a target's host and profile as flags: the settings file sets them explicitly, so they take precedence."""
    return WorkspaceOptions(host or None, profile=profile or None, url_name=f"host of target {name}")


def apply_target(
    name: str, target: TargetSettings, environ: MutableMapping[str, str], dotenv: Mapping[str, str]
) -> WorkspaceChoice:
    """Choose the target's host and credential and remove all others from the environment. Raise LabSettingsError."""
    try:
        return choose_and_apply(environ, target_flags(name, host=target.host, profile=target.profile), dotenv)
    except WorkspaceChoiceError as error:
        raise LabSettingsError([f"Target {name}: {error}"]) from None


def target_choice(
    name: str, target: TargetSettings, environ: Mapping[str, str], dotenv: Mapping[str, str]
) -> WorkspaceChoice | WorkspaceNotConfigured:
    """Return the target's host and credential, or why no workspace is configured (a synth needs none).

    Raise LabSettingsError if the choice is ambiguous or invalid.
    """
    try:
        return choose_from(environ, target_flags(name, host=target.host, profile=target.profile), dotenv)
    except WorkspaceNotConfigured as error:
        return error
    except WorkspaceChoiceError as error:
        raise LabSettingsError([f"Target {name}: {error}"]) from None


def target_variables(target: TargetSettings) -> dict[str, str]:
    """Return the environment variables that specify the target's profile or host; never a secret."""
    if target.profile:
        return {PROFILE: target.profile}
    return {HOST: target.host} if target.host else {}


def deploying_service_principal(
    choice: WorkspaceChoice | WorkspaceNotConfigured, environ: Mapping[str, str]
) -> str | None:
    """Return the application id of the environment's service principal; None if it has none.

    Profiles are not read: their content differs between machines, and the course file must be the same everywhere.
    """
    if isinstance(choice, WorkspaceNotConfigured) or PROFILE in choice.variables:
        return None
    return choice.variables.get("DATABRICKS_CLIENT_ID") or environ.get("ARM_CLIENT_ID") or None

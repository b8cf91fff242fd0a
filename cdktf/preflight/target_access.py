"""Host and credential of a target of `lab.toml`, by the rule of all programs."""

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
    """What a target says, as flags: it is named in the settings file for this purpose, and so overrides the rest."""
    return WorkspaceOptions(host or None, profile=profile or None, url_name=f"host of target {name}")


def apply_target(
    name: str, target: TargetSettings, environ: MutableMapping[str, str], dotenv: Mapping[str, str]
) -> WorkspaceChoice:
    """The choice for the target; only what was chosen is left in the environment. Raises LabSettingsError."""
    try:
        return choose_and_apply(environ, target_flags(name, host=target.host, profile=target.profile), dotenv)
    except WorkspaceChoiceError as error:
        raise LabSettingsError([f"Target {name}: {error}"]) from None


def target_choice(
    name: str, target: TargetSettings, environ: Mapping[str, str], dotenv: Mapping[str, str]
) -> WorkspaceChoice | WorkspaceNotConfigured:
    """The choice for the target, or why no workspace is named, which a synth does not need. Raises LabSettingsError."""
    try:
        return choose_from(environ, target_flags(name, host=target.host, profile=target.profile), dotenv)
    except WorkspaceNotConfigured as error:
        return error
    except WorkspaceChoiceError as error:
        raise LabSettingsError([f"Target {name}: {error}"]) from None


def target_variables(target: TargetSettings) -> dict[str, str]:
    """The variables with which a program reaches the target: the name of a profile or host, never a secret."""
    if target.profile:
        return {PROFILE: target.profile}
    return {HOST: target.host} if target.host else {}


def deploying_service_principal(
    choice: WorkspaceChoice | WorkspaceNotConfigured, environ: Mapping[str, str]
) -> str | None:
    """The application id as which the environment says a program deploys; None if it names none.

    A profile is not opened for it: what it holds is known to the machine that deploys, and the course file has to come
    out the same everywhere.
    """
    if isinstance(choice, WorkspaceNotConfigured) or PROFILE in choice.variables:
        return None
    return choice.variables.get("DATABRICKS_CLIENT_ID") or environ.get("ARM_CLIENT_ID") or None

"""Chooses this process's workspace with `labkit.workspace.choice`: reads the profiles and cleans the environment."""

from collections.abc import Mapping, MutableMapping
from pathlib import Path

from labkit.workspace.choice import (
    CONFIG_FILE,
    Profiles,
    WorkspaceChoice,
    WorkspaceChoiceError,
    WorkspaceOptions,
    apply_choice,
    choose,
)


def config_file(environ: Mapping[str, str]) -> Path:
    """Return the path of the Databricks configuration file, which need not exist."""
    return Path(environ.get(CONFIG_FILE) or "~/.databrickscfg").expanduser()


def read_profiles(environ: Mapping[str, str]) -> Profiles:
    """Return the profiles in the Databricks configuration file. Raises WorkspaceChoiceError if it cannot be read."""
    path = config_file(environ)
    try:
        return Profiles(path.read_text(encoding="utf-8-sig") if path.exists() else "", str(path))
    except UnicodeDecodeError:
        raise WorkspaceChoiceError(f"{path} is not UTF-8 text.") from None
    except OSError as error:
        raise WorkspaceChoiceError(f"{path} cannot be read ({error.strerror}).") from None


def choose_from(
    environ: Mapping[str, str], flags: WorkspaceOptions | None = None, dotenv: Mapping[str, str] | None = None
) -> WorkspaceChoice:
    """Return the choice for these variables without changing anything. Raises WorkspaceChoiceError."""
    return choose(
        flags or WorkspaceOptions(),
        environ=environ,
        dotenv=dotenv or {},
        profiles=read_profiles(environ),
        is_runtime="DATABRICKS_RUNTIME_VERSION" in environ,
    )


def choose_and_apply(
    environ: MutableMapping[str, str], flags: WorkspaceOptions | None = None, dotenv: Mapping[str, str] | None = None
) -> WorkspaceChoice:
    """Choose a workspace, and leave only its variables in the environment, for the SDK and for child processes.

    If it raises WorkspaceChoiceError, the environment is unchanged.
    """
    choice = choose_from(environ, flags, dotenv)
    apply_choice(choice, environ)
    return choice

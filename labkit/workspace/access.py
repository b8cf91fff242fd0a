"""The choice of `workspace_choice`, made for this process: reads the profiles and clears the environment."""

from collections.abc import Mapping, MutableMapping
from pathlib import Path

from labkit.workspace.choice import CONFIG_FILE, Choice, ChoiceError, Flags, Profiles, choose, leave_only


def config_file(environ: Mapping[str, str]) -> Path:
    """Where the profiles are; the file need not exist."""
    return Path(environ.get(CONFIG_FILE) or "~/.databrickscfg").expanduser()


def profiles_of(environ: Mapping[str, str]) -> Profiles:
    """The profiles of the Databricks configuration file. Raises ChoiceError if it cannot be read."""
    path = config_file(environ)
    try:
        return Profiles(path.read_text(encoding="utf-8-sig") if path.exists() else "", str(path))
    except UnicodeDecodeError:
        raise ChoiceError(f"{path} is not UTF-8 text.") from None
    except OSError as error:
        raise ChoiceError(f"{path} cannot be read ({error.strerror}).") from None


def choice_of(
    environ: Mapping[str, str], flags: Flags | None = None, dotenv: Mapping[str, str] | None = None
) -> Choice:
    """The choice for these variables; nothing is changed. Raises ChoiceError."""
    return choose(
        flags or Flags(),
        environ=environ,
        dotenv=dotenv or {},
        profiles=profiles_of(environ),
        is_runtime="DATABRICKS_RUNTIME_VERSION" in environ,
    )


def enter(
    environ: MutableMapping[str, str], flags: Flags | None = None, dotenv: Mapping[str, str] | None = None
) -> Choice:
    """Choose, and leave in the environment only what was chosen, for the SDK and for programs started from here.

    Raises ChoiceError; the environment is unchanged then.
    """
    choice = choice_of(environ, flags, dotenv)
    leave_only(choice, environ)
    return choice

"""Which credentials a target names, and whether those of the environment would mix with them. Pure."""

from collections.abc import Mapping

from lab_settings import Target

# What the unified authentication would prefer to a profile's, or mix with it.
_MIXED_WITH_A_PROFILE = ("DATABRICKS_HOST", "DATABRICKS_TOKEN", "DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET")


def mixed_credentials(name: str, target: Target, environ: Mapping[str, str]) -> str:
    """A sentence where environment and target name two different workspaces; empty where they do not."""
    if target.profile:
        source = f"profile {target.profile!r}"
        mixed = [variable for variable in _MIXED_WITH_A_PROFILE if environ.get(variable)]
    elif target.host:
        source = f"host {target.host}"
        mixed = ["DATABRICKS_CONFIG_PROFILE"] if environ.get("DATABRICKS_CONFIG_PROFILE") else []
        if environ.get("DATABRICKS_HOST", target.host).rstrip("/") != target.host.rstrip("/"):
            mixed.append("DATABRICKS_HOST")
    else:
        return ""
    if not mixed:
        return ""
    return (
        f"Target {name} has its own {source}, and {' and '.join(mixed)} of the environment would mix with it; unset it."
    )


def credentials_of(target: Target) -> dict[str, str]:
    """What a program needs in its environment to reach the target: the name of a profile or host, never a secret."""
    if target.profile:
        return {"DATABRICKS_CONFIG_PROFILE": target.profile}
    return {"DATABRICKS_HOST": target.host} if target.host else {}

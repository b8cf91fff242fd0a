"""The services of the workspace: whose routes are served, and what each puts into a new workspace."""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from emulator.api.routing import Route

if TYPE_CHECKING:
    from emulator.state.workspace import Workspace

SERVICES = (
    "scim",
    "tokens",
    "objects",
    "repos",
    "permissions",
    "policies",
    "pools",
    "clusters",
    "libraries",
    "dbfs",
    "volumes",
    "secrets",
    "settings",
    "generated_files",
)
"""In the order in which a new workspace is furnished: people first, then their homes, then the rest;
at last what fills the homes."""


def routes() -> list[Route]:
    """Those of every service: the module `routes` of a package, where it has one, holds them as `routes`."""
    modules = [f"emulator.{name}.routes" for name in SERVICES]
    return [route for name in modules if find_spec(name) for route in import_module(name).routes]


def furnish(workspace: "Workspace") -> None:
    """Put in what every new workspace has: `seed.furnish(workspace)` of the packages that have such a module."""
    for name in SERVICES:
        if find_spec(f"emulator.{name}.seed"):
            import_module(f"emulator.{name}.seed").furnish(workspace)

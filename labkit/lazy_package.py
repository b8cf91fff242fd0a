"""Lazy imports of large packages, and imports of their modules without running the package's `__init__`.

The `__init__` of the Databricks SDK imports forty services, and the Terraform provider's imports 250 resources; a
program uses a few of them. Running these files takes longer than everything else that a program does.
"""

import importlib
import importlib.util
import sys
from typing import Any


class LazyModule:
    """A module that is imported on the first use of one of its names: `pyarrow = LazyModule("pyarrow")`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)  # inspection, such as by pytest or copy, must not import the module
        return getattr(importlib.import_module(self._name), name)


def defer_module(module: str) -> None:
    """Defer a module until the first use of one of its names, for modules that packages import without need.

    The module's package is imported. A module that is already imported or not installed is left as it is.
    """
    if module in sys.modules:
        return
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return  # the module's package is not installed
    if spec is None or spec.loader is None:
        return
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy_module = importlib.util.module_from_spec(spec)
    sys.modules[module] = lazy_module
    spec.loader.exec_module(lazy_module)
    parent, _, name = module.rpartition(".")
    setattr(sys.modules[parent], name, lazy_module)


def defer_init(package: str) -> None:
    """Import the package without running its `__init__`. Its modules can be imported, and used as attributes.

    The first use of any other public name runs the `__init__`. Only for our own programs: in a user's notebook the
    package belongs to the user.
    """
    if package in sys.modules:
        return
    spec = importlib.util.find_spec(package)
    if spec is None or spec.loader is None:
        return  # the import that follows raises the error
    loader, module = spec.loader, importlib.util.module_from_spec(spec)

    def load(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if importlib.util.find_spec(f"{package}.{name}"):
            return importlib.import_module(f"{package}.{name}")
        if name.startswith("_"):
            raise AttributeError(name)  # inspection must not run the package's `__init__`
        del module.__getattr__
        loader.exec_module(module)
        return getattr(module, name)

    module.__getattr__ = load  # type: ignore[method-assign]
    sys.modules[package] = module
    parent, _, name = package.rpartition(".")
    if parent:
        setattr(sys.modules[parent], name, module)

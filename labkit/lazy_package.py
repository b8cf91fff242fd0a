"""Imports large packages late, or modules of one without running the package's own `__init__`.

The Databricks SDK's `__init__` imports forty services and the Terraform provider's 250 resources, of which a program
uses a few; running them takes longer than all that the program does.
"""

import importlib
import importlib.util
import sys
from typing import Any


class LazyModule:
    """A module that is imported when one of its names is first used: `pyarrow = LazyModule("pyarrow")`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # whoever inspects a value asks for these
        return getattr(importlib.import_module(self._name), name)


def defer_module(module: str) -> None:
    """Put a module into place that runs when one of its names is first used, for packages that import it in vain.

    Its package is imported. Nothing happens to a module that was imported before, or that is not installed.
    """
    if module in sys.modules:
        return
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return  # of its package
    if spec is None or spec.loader is None:
        return
    spec.loader = importlib.util.LazyLoader(spec.loader)
    made = importlib.util.module_from_spec(spec)
    sys.modules[module] = made
    spec.loader.exec_module(made)
    parent, _, name = module.rpartition(".")
    setattr(sys.modules[parent], name, made)


def defer_init(package: str) -> None:
    """Make modules of the package importable by themselves, also as its attributes; another name runs the package.

    For programs only: in somebody's notebook the package is theirs.
    """
    if package in sys.modules:
        return
    spec = importlib.util.find_spec(package)
    if spec is None or spec.loader is None:
        return  # the import that follows says what is missing
    loader, module = spec.loader, importlib.util.module_from_spec(spec)

    def load(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if importlib.util.find_spec(f"{package}.{name}"):
            return importlib.import_module(f"{package}.{name}")
        del module.__getattr__
        loader.exec_module(module)
        return getattr(module, name)

    module.__getattr__ = load  # type: ignore[method-assign]
    sys.modules[package] = module
    parent, _, name = package.rpartition(".")
    if parent:
        setattr(sys.modules[parent], name, module)

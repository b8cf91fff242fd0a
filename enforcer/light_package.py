"""Packages that import far more than is used of them, such as the forty services of the Databricks SDK.

Their modules can be imported without running the package's own, which takes longer than a poll does.
"""

import importlib.util
import sys
from typing import Any


def enter(package: str) -> None:
    """Let modules of the package be imported by themselves; the first name that is asked of the package runs it."""
    if package in sys.modules:
        return
    spec = importlib.util.find_spec(package)
    if spec is None or spec.loader is None:
        return  # the import that follows says what is missing
    loader, module = spec.loader, importlib.util.module_from_spec(spec)

    def load(name: str) -> Any:
        if name.startswith("__") or importlib.util.find_spec(f"{package}.{name}"):
            raise AttributeError(name)  # a module inside, which is imported in the usual way
        del module.__getattr__
        loader.exec_module(module)
        return getattr(module, name)

    module.__getattr__ = load  # type: ignore[method-assign]
    sys.modules[package] = module
    parent, _, name = package.rpartition(".")
    if parent:
        setattr(sys.modules[parent], name, module)

"""The environment of the Node.js process that the framework starts."""

from collections.abc import MutableMapping
from pathlib import Path

SILENCE_VARIABLE = "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"
SILENCED_RELEASES = ",".join(map(str, range(20, 40)))
"""Otherwise the process warns on every run that its Node.js release is no longer maintained."""
NO_WARNINGS = {"NODE_NO_WARNINGS": "1"}
"""Otherwise newer releases of Node.js warn on every run of what the framework's process still uses."""


def prepare_node(environ: MutableMapping[str, str], interpreter: Path) -> None:
    """Set the process's variables, unless they are set. The framework's first import starts the process."""
    for name, value in ({SILENCE_VARIABLE: SILENCED_RELEASES} | NO_WARNINGS).items():
        environ.setdefault(name, value)
    # `make` may have installed Node.js beside the interpreter, in a folder that may not be in PATH.
    if (node := interpreter.parent / "node").exists():
        environ.setdefault("JSII_NODE", str(node))

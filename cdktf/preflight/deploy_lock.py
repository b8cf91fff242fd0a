"""The lock that a deployment and the nightly update of the roster hold on this machine, one for each stack.

Terraform's own lock protects the state, but not the roster and the synthesized stack from which a plan is made.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labkit.files import make_private_folder
from labkit.locks import exclusive_lock


@contextmanager
def deploy_lock(settings_folder: Path, stack: str) -> Iterator[bool]:
    """Hold the lock during the block and yield True, or yield False at once if another process holds it.

    `settings_folder` contains lab.toml. Raises OSError.
    """
    folder = settings_folder / "state"
    make_private_folder(folder)
    with exclusive_lock(folder / f"{stack}.deploy.lock") as is_ours:
        yield is_ours

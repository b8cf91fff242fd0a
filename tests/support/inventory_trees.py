"""Random trees of files for scans, and transient errors."""

from __future__ import annotations

from hypothesis import strategies as st

from in_process_inventory import (
    create_dbfs_file,
    create_notebook,
    create_workspace_file,
    create_workspace_folder,
    refusal,
)
from in_process_workspace import InProcessWorkspace
from inventory.transport.response import Response, TransportError

NAMES = st.sampled_from(["a", "b", "c d", "é", "x'y", "=1+1", "50%", "a&b", "q?", "#"])
TREES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=4).map("/".join), st.integers(0, 50) | st.just("NOTEBOOK"), max_size=8
)
TRANSIENT_ERRORS = {
    "429": refusal(429, "REQUEST_LIMIT_EXCEEDED"),
    "500": refusal(500, "INTERNAL_ERROR"),
    "503": Response(503, {}, retry_after=0.0),
    "reset": TransportError("the connection was closed before the response"),
    "cut": TransportError("the response is not JSON, or ends too early"),
}
FAULTS = st.dictionaries(
    st.integers(0, 30), st.lists(st.sampled_from(sorted(TRANSIENT_ERRORS)), max_size=5), max_size=15
)


def create_tree(workspace: InProcessWorkspace, home: str, tree: dict[str, object], *, dbfs: bool) -> dict[str, object]:
    """Create a tree in a home. Return the part that could be created: a path may need a folder in place of a file."""
    created: dict[str, object] = {}
    for path, content in sorted(tree.items()):
        folders = ["/".join(path.split("/")[:depth]) for depth in range(1, path.count("/") + 1)]
        if any(folder in created for folder in folders) or any(other.startswith(path + "/") for other in created):
            continue
        created[path] = content
        size = content if isinstance(content, int) else 9
        if dbfs:
            create_dbfs_file(workspace, f"{home}/{path}", size)
            continue
        create_workspace_folder(workspace, f"{home}/{path}".rpartition("/")[0])
        if isinstance(content, int):
            create_workspace_file(workspace, f"{home}/{path}", size)
        else:
            create_notebook(workspace, f"{home}/{path}")
    return created

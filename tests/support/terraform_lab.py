"""A course deployed by the real Terraform to an emulated workspace, as by an administrator."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator_process import EmulatorProcess
from labkit.terraform import terraform_program

ROOT = Path(__file__).resolve().parents[2]
STAFF = "assistant@example.ac.il"
SECONDS = 900
ATTEMPTS = 50


@dataclass(frozen=True)
class CommandOutput:
    """A command's exit status and output, with both streams together."""

    status: int
    text: str


class TerraformLab:
    """A folder with `lab.toml` and its roster, and the workspace to deploy to."""

    def __init__(self, folder: Path, emulator: EmulatorProcess, *, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.emulator = emulator
        self.token: str | None = None
        text = (ROOT / "examples" / "lab.toml").read_text(encoding="utf-8")
        for old, new in (settings or {}).items():
            if old not in text:
                raise ValueError(f"examples/lab.toml has no {old!r}")
            text = text.replace(old, new)
        (folder / "lab.toml").write_text(text, encoding="utf-8")
        (folder / "rosters").mkdir()
        app = {
            "language": "python",
            "app": f"{sys.executable} {ROOT / 'cdktf' / 'main.py'}",
            "sendCrashReports": "false",
        }
        (folder / "cdktf.json").write_text(json.dumps({**app, "projectId": "term"}), encoding="utf-8")

    @property
    def roster(self) -> Path:
        return self.folder / "rosters" / "94290-2026w.csv"

    @property
    def stack(self) -> Path:
        return self.folder / "cdktf.out" / "stacks" / "94290-2026w-demo"

    @property
    def state(self) -> Path:
        return self.folder / "state" / "94290-2026w-demo.tfstate"

    def create_staff_account(self) -> None:
        """Create the staff account, which a deployment does not create."""
        self.emulator.control("POST", "users", {"user_name": STAFF})

    def write_roster(self, groups: Mapping[int, Sequence[str]], *, existing: Sequence[str] = ()) -> None:
        """Write a normalised roster with these groups, each a list of addresses."""
        rows = ["number,moodle_group_id,moodle_group_name,email,status,account"]
        for number, addresses in groups.items():
            for address in addresses:
                account = "existing:demo" if address in existing else "managed"
                rows.append(f"{number},{1000 + number},צוות {number},{address},active,{account}")
        self.roster.write_text("\n".join(rows) + "\n", encoding="utf-8")

    def change(self, file: str, old: str, new: str) -> None:
        """Edit one of the lab's files."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        if old not in text:
            raise ValueError(f"{file} has no {old!r}")
        path.write_text(text.replace(old, new), encoding="utf-8")

    @contextmanager
    def restored_afterwards(self) -> Iterator[None]:
        """Restore roster, settings and synthesized stack after the block; applied changes are kept."""
        files = [self.folder / "lab.toml", self.roster, self.stack / "cdk.tf.json"]
        before = {file: file.read_bytes() for file in files}
        try:
            yield
        finally:
            for file, content in before.items():
                file.write_bytes(content)

    def run(self, command: Sequence[str | Path], *, cwd: Path | None = None) -> CommandOutput:
        """Run a command whose environment alone contains the workspace's credentials."""
        environment = {
            **os.environ,
            **self.emulator.environment(self.token),
            "LAB_CONFIG": str(self.folder / "lab.toml"),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd or self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return CommandOutput(done.returncode, done.stdout)

    def import_export(self, export: Path) -> None:
        """Import a Moodle export into the roster."""
        done = self.run([sys.executable, ROOT / "cdktf" / "import_roster.py", export, "--out", self.roster])
        assert done.status == 0, done.text

    def cdktf(self, *arguments: str) -> CommandOutput:
        """Run `pipenv run cdktf …`."""
        return self.run([sys.executable, ROOT / "cdktf" / "run_cdktf.py", *arguments])

    def synth(self) -> None:
        """Synthesize without cdktf-cli, and initialize the stack's folder if necessary."""
        done = self.run([sys.executable, ROOT / "cdktf" / "main.py"])
        assert done.status == 0, done.text
        if not (self.stack / ".terraform").exists():
            done = self.terraform("init", "-input=false")
            assert done.status == 0, done.text

    def terraform(self, *arguments: str) -> CommandOutput:
        """Run Terraform in the stack's folder."""
        return self.run([terraform_program(os.environ), arguments[0], "-no-color", *arguments[1:]], cwd=self.stack)

    def state_list(self) -> list[str]:
        """Return the addresses in the state."""
        return self.run([terraform_program(os.environ), "state", "list"], cwd=self.stack).text.splitlines()

    def plan(self, *arguments: str) -> dict[str, tuple[str, ...]]:
        """Map the address of each resource that would change to its planned actions."""
        done = self.terraform("plan", "-input=false", "-parallelism=50", "-detailed-exitcode", "-out=plan", *arguments)
        if done.status == 0:
            return {}  # exit status 0 means an empty diff; showing the plan takes as long as making it
        assert done.status == 2, done.text
        shown = self.terraform("show", "-json", "plan")
        changes: list[dict[str, Any]] = json.loads(shown.text[shown.text.index("{") :])["resource_changes"]
        planned = {
            change["address"]: tuple(change["change"]["actions"])
            for change in changes
            if change["change"]["actions"] not in (["no-op"], ["read"])
        }
        assert planned, done.text
        return planned

    def apply(self) -> CommandOutput:
        """Apply the synthesized stack."""
        return self.terraform("apply", "-input=false", "-auto-approve", "-parallelism=50")

    def deploy(self) -> None:
        """Synthesize and apply; it must succeed."""
        self.synth()
        done = self.apply()
        assert done.status == 0, done.text

    def workspace_state(self) -> dict[str, Any]:
        """Return the workspace's state without the emulator's counters and without its history."""
        state = self.emulator.control("GET", "state")
        kept = {
            name: state[name] for name in ("directory", "libraries", "objects", "policies", "pools", "tokens", "acls")
        }
        kept["clusters"] = state["clusters"]["by_id"]
        copied: dict[str, Any] = json.loads(json.dumps(kept))
        return copied

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request as the administrator, with retries while the workspace is busy."""
        for _ in range(ATTEMPTS):
            status, response = self.emulator.request(method, path, body)
            if status not in (429, 503):
                assert status == 200, response
                return response
            time.sleep(0.1)
        raise AssertionError(f"{method} {path} was refused {ATTEMPTS} times")

    def drift(self, kind: str, target: str, value: Any = None) -> None:
        """Change something without Terraform."""
        self.emulator.control("POST", "drift", {"kind": kind, "target": target, "value": value})

    def drift_all(self, member: str, membership: str) -> dict[str, tuple[str, ...]]:
        """Change six resources without Terraform, and return the plan that must follow.

        `member` is a student of group_01, `membership` the address of that membership's resource.
        """
        self.drift("remove_member", "group_01", member)
        self.drift("permission", "cluster_02", {"group_name": "group_02", "permission_level": None})
        self.drift("resize", "cluster_03", {"min_workers": 1, "max_workers": 9})
        self.drift("tag", "cluster_04", {"lab_term": "1999w"})
        self.drift("policy", "Personal Compute", {"node_type_id": {"type": "unlimited"}})
        self.drift("delete_cluster", "cluster_06")
        return {
            membership: ("create",),
            "databricks_permissions.cluster_02": ("update",),
            "databricks_cluster.cluster_03": ("update",),
            "databricks_cluster.cluster_04": ("update",),
            "databricks_cluster_policy.personal_compute": ("update",),
            "databricks_cluster.cluster_06": ("create",),
            "databricks_permissions.cluster_06": ("create",),
            "terraform_data.stop_cluster_06": ("delete", "create"),
        }

    def clusters(self) -> dict[str, dict[str, Any]]:
        """Map names to live clusters."""
        response = self.call("GET", "/api/2.1/clusters/list?page_size=100")
        return {cluster["cluster_name"]: cluster for cluster in response.get("clusters", [])}

    def libraries(self, cluster_id: str) -> list[str]:
        """Return the status of each of a cluster's libraries."""
        response = self.call("GET", f"/api/2.0/libraries/cluster-status?cluster_id={cluster_id}")
        return [library["status"] for library in response["library_statuses"]]

    def files_with(self, text: str) -> list[str]:
        """Return the files below the lab's folder that contain a string."""
        found = []
        for path in self.folder.rglob("*"):
            if path.is_file() and not path.is_symlink() and text.encode() in path.read_bytes():
                found.append(str(path.relative_to(self.folder)))
        return found

    def delete_output(self) -> None:
        """Delete everything synthesized and initialized, as in a new checkout; the state is kept."""
        shutil.rmtree(self.folder / "cdktf.out", ignore_errors=True)


def remove_homes(state: dict[str, Any], addresses: Sequence[str]) -> int:
    """Remove the remaining homes of removed students from a dump; return their number."""
    nodes = state["objects"]["nodes"]
    homes = [key for key, node in nodes.items() if node["name"] in addresses]
    for key in homes:
        home = nodes.pop(key)
        del nodes[str(home["parent"])]["children"][home["name"]]
        state["acls"]["direct"].pop(f"/directories/{key}", None)
    return len(homes)

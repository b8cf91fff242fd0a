"""Runtimes, node types and zones in an Azure region."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Runtime:
    version: str
    spark: str
    scala: str = "2.12"
    lts: bool = False
    beta: bool = False

    def versions(self) -> list[dict[str, str]]:
        """Return the runtime's entries in `spark-versions`: the standard runtime and its machine-learning variants."""
        name = f"{self.version}{' LTS' if self.lts else ''}{' Beta' if self.beta else ''}"
        spark = f"Apache Spark {self.spark}"
        suffix = f"scala{self.scala}"
        flavours = (("", "", ""), ("cpu-ml-", " ML", ""), ("gpu-ml-", " ML", "GPU, "))
        return [
            {
                "key": f"{self.version}.x-{infix}{suffix}",
                "name": f"{name}{label} (includes {spark}, {gpu}Scala {self.scala})",
            }
            for infix, label, gpu in flavours
        ]


RUNTIMES = (
    Runtime("17.4", "4.0.0", "2.13", beta=True),
    Runtime("17.3", "4.0.0", "2.13", lts=True),
    Runtime("17.2", "4.0.0", "2.13"),
    Runtime("16.4", "3.5.2", lts=True),
    Runtime("16.3", "3.5.2"),
    Runtime("15.4", "3.5.0", lts=True),
    Runtime("14.3", "3.5.0", lts=True),
    Runtime("13.3", "3.4.1", lts=True),
    Runtime("12.2", "3.3.2", lts=True),
    Runtime("11.3", "3.3.0", lts=True),
    Runtime("10.4", "3.2.1", lts=True),
    Runtime("9.1", "3.1.2", lts=True),
)
_AUTOMATIC = re.compile("auto:(latest|latest-lts|prev-major|prev-lts)(-ml)?")
LIGHT_RUNTIME = {
    "key": "apache-spark-2.4.x-esr-scala2.11",
    "name": "Light 2.4 Extended Support (includes Apache Spark 2.4)",
}
FIRST_RUNTIME_WITHOUT_LEGACY = (13, 3)
"""The oldest runtime in a workspace without DBFS or legacy features."""
ZONES = {"zones": ["1", "2", "3"], "default_zone": "1"}

GENERAL, MEMORY, COMPUTE, STORAGE, GPU = (
    "General Purpose",
    "Memory Optimized",
    "Compute Optimized",
    "Storage Optimized",
    "GPU Accelerated",
)
# Name, category, cores, memory (GB), local disks, size of each (GB), GPUs, runs Photon, deprecated.
_NODE_TYPES: tuple[tuple[str, str, int, float, int, int, int, bool, bool], ...] = (
    ("Standard_DS3_v2", GENERAL, 4, 14, 1, 28, 0, True, False),
    ("Standard_DS4_v2", GENERAL, 8, 28, 1, 56, 0, True, False),
    ("Standard_DS5_v2", GENERAL, 16, 56, 1, 112, 0, True, False),
    ("Standard_D3_v2", GENERAL, 4, 14, 1, 200, 0, True, True),
    ("Standard_D4s_v3", GENERAL, 4, 16, 0, 0, 0, False, False),
    ("Standard_D8s_v3", GENERAL, 8, 32, 0, 0, 0, False, False),
    ("Standard_D4ds_v4", GENERAL, 4, 16, 1, 150, 0, True, False),
    ("Standard_D4ds_v5", GENERAL, 4, 16, 1, 150, 0, True, False),
    ("Standard_D8ds_v5", GENERAL, 8, 32, 1, 300, 0, True, False),
    ("Standard_D16ds_v5", GENERAL, 16, 64, 1, 600, 0, True, False),
    ("Standard_D32ds_v5", GENERAL, 32, 128, 1, 1200, 0, True, False),
    ("Standard_D4ads_v5", GENERAL, 4, 16, 1, 150, 0, True, False),
    ("Standard_D8ads_v5", GENERAL, 8, 32, 1, 300, 0, True, False),
    ("Standard_DS12_v2", MEMORY, 4, 28, 1, 56, 0, True, False),
    ("Standard_DS13_v2", MEMORY, 8, 56, 1, 112, 0, True, False),
    ("Standard_DS14_v2", MEMORY, 16, 112, 1, 224, 0, True, False),
    ("Standard_E4ds_v4", MEMORY, 4, 32, 1, 150, 0, True, False),
    ("Standard_E4ds_v5", MEMORY, 4, 32, 1, 150, 0, True, False),
    ("Standard_E8ds_v5", MEMORY, 8, 64, 1, 300, 0, True, False),
    ("Standard_E16ds_v5", MEMORY, 16, 128, 1, 600, 0, True, False),
    ("Standard_E4d_v4", MEMORY, 4, 32, 1, 150, 0, True, False),
    ("Standard_F4", COMPUTE, 4, 8, 1, 64, 0, False, True),
    ("Standard_F4s_v2", COMPUTE, 4, 8, 1, 32, 0, False, False),
    ("Standard_F8s_v2", COMPUTE, 8, 16, 1, 64, 0, False, False),
    ("Standard_F16s_v2", COMPUTE, 16, 32, 1, 128, 0, False, False),
    ("Standard_L4s", STORAGE, 4, 32, 1, 678, 0, False, True),
    ("Standard_L8s_v2", STORAGE, 8, 64, 1, 80, 0, True, False),
    ("Standard_L8s_v3", STORAGE, 8, 64, 1, 80, 0, True, False),
    ("Standard_L16s_v3", STORAGE, 16, 128, 1, 160, 0, True, False),
    ("Standard_NC4as_T4_v3", GPU, 4, 28, 1, 180, 1, False, False),
    ("Standard_NC6s_v3", GPU, 6, 112, 1, 736, 1, False, False),
    ("Standard_NC12s_v3", GPU, 12, 224, 1, 1474, 2, False, False),
)


@cache
def spark_versions() -> tuple[dict[str, str], ...]:
    return (*(version for runtime in RUNTIMES for version in runtime.versions()), LIGHT_RUNTIME)


@cache
def node_types() -> dict[str, dict[str, Any]]:
    """Return all node types by id, in the format of `list-node-types`."""
    return {row[0]: _node_type(order, *row) for order, row in enumerate(_NODE_TYPES)}


def _node_type(
    order: int,
    name: str,
    category: str,
    cores: int,
    memory: float,
    disks: int,
    disk_size: int,
    gpus: int,
    photon: bool,
    deprecated: bool,
) -> dict[str, Any]:
    # Zeros are included: select_node_type in the Python SDK sorts by these numbers and fails if one is missing.
    return {
        "node_type_id": name,
        "memory_mb": int(memory * 1024),
        "num_cores": float(cores),
        "description": name,
        "instance_type_id": name,
        "is_deprecated": deprecated,
        "category": category,
        "support_ebs_volumes": True,
        "support_cluster_tags": True,
        "num_gpus": gpus,
        "node_instance_type": {
            "instance_type_id": name,
            "local_disks": disks,
            "local_disk_size_gb": disk_size,
            "local_nvme_disks": 0,
            "local_nvme_disk_size_gb": 0,
        },
        "is_hidden": False,
        "support_port_forwarding": True,
        "supports_elastic_disk": True,
        "display_order": order,
        "is_io_cache_enabled": "ds_v" in name or name.startswith("Standard_L"),
        "is_encrypted_in_transit": False,
        "is_graviton": False,
        "photon_driver_capable": photon,
        "photon_worker_capable": photon,
        "node_info": {"status": [], "available_core_quota": 350.0, "total_core_quota": 350.0},
    }


def is_known_runtime(version: str) -> bool:
    """Return whether a cluster can run this version: a listed version, its older Photon name, or a custom image."""
    plain = version.replace("-photon-", "-")
    return version.startswith("custom:") or any(listed["key"] == plain for listed in spark_versions())


def resolve_version(version: Any) -> Any:
    """Return the version that `auto:latest-lts` or a similar value means in a policy; other values are unchanged."""
    match = _AUTOMATIC.fullmatch(version) if isinstance(version, str) else None
    if match is None:
        return version
    released = [runtime for runtime in RUNTIMES if not runtime.beta]
    if "lts" in match[1]:
        released = [runtime for runtime in released if runtime.lts]
    if match[1] == "prev-major":
        newest = released[0].version.partition(".")[0]
        released = [runtime for runtime in released if runtime.version.partition(".")[0] != newest]
    chosen = released[1] if match[1] == "prev-lts" else released[0]
    plain, learning, _ = chosen.versions()
    return (learning if match[2] else plain)["key"]


def effective_version(version: str, photon: bool = False, ml: bool = False, gpu: bool = False) -> str:
    """Return the build of a runtime that a cluster gets, such as `15.4.x-cpu-ml-scala2.12`."""
    number, separator, rest = version.partition(".x-")
    if not separator or not rest.startswith("scala"):
        return version
    infix = ("gpu-ml-" if gpu else "cpu-ml-") if ml else "photon-" if photon else ""
    return f"{number}.x-{infix}{rest}"


def runtime_number(version: str) -> tuple[int, int] | None:
    """Return `(15, 4)` for `15.4.x-scala2.12`; None for other names."""
    match = re.match(r"(\d+)\.(\d+)\.x-", version)
    return (int(match[1]), int(match[2])) if match else None

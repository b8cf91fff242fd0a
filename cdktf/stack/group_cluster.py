"""One group's cluster with settings, libraries and permissions; it is stopped once it is ready."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab_settings import ClusterSettings, LibrarySettings
from stack.expressions import template, templates
from stack.framework import (
    Cluster,
    ClusterAutoscale,
    ClusterClusterLogConf,
    ClusterClusterLogConfDbfs,
    ClusterClusterLogConfVolumes,
    ClusterLibrary,
    ClusterLibraryMaven,
    ClusterLibraryPypi,
    ClusterWorkloadType,
    ClusterWorkloadTypeClients,
    Construct,
    ITerraformDependable,
    LocalExecProvisioner,
    Permissions,
    PermissionsAccessControl,
    TerraformResource,
)
from stack.programs import ScriptCommand


def common_settings(settings: ClusterSettings, libraries: Sequence[LibrarySettings]) -> dict[str, Any]:
    """Return the arguments of `Cluster` shared by all clusters in a course; creating them is slow in the bindings."""
    return {
        "spark_version": settings.spark_version,
        "node_type_id": settings.node_type_id,
        "driver_node_type_id": settings.driver,
        "autoscale": ClusterAutoscale(min_workers=settings.min_workers, max_workers=settings.max_workers),
        "autotermination_minutes": settings.autotermination_minutes,
        "data_security_mode": settings.data_security_mode,
        "is_pinned": settings.pin,
        "spark_conf": templates(settings.spark_conf) or None,
        "spark_env_vars": templates(settings.spark_env_vars) or None,
        "cluster_log_conf": _log_conf(settings.log_destination),
        "workload_type": ClusterWorkloadType(
            clients=ClusterWorkloadTypeClients(jobs=settings.allow_jobs, notebooks=True)
        ),
        "library": [_library(library) for library in libraries] or None,
    }


class GroupCluster(Construct):
    """`databricks_cluster.cluster_07`, `databricks_permissions.cluster_07` and `terraform_data.stop_cluster_07`."""

    def __init__(
        self,
        scope: Construct,
        key: str,
        *,
        name: str,
        group_name: str,
        group_level: str,
        tags: dict[str, str],
        settings: dict[str, Any],
        managers: Sequence[PermissionsAccessControl],
        stop: ScriptCommand,
        queue_folder: Path,
        depends_on: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, key)
        cluster = Cluster(
            self,
            "cluster",
            cluster_name=name,
            custom_tags=tags,
            **settings,
            depends_on=depends_on,
        )
        cluster.override_logical_id(key)

        # The access control list is authoritative, so a single resource declares all of it.
        permissions = Permissions(
            self,
            "permissions",
            cluster_id=cluster.id,
            access_control=[
                PermissionsAccessControl(group_name=group_name, permission_level=group_level),
                *managers,
            ],
        )
        permissions.override_logical_id(key)

        # cdktf's own construct for this type would run `terraform version` for each instance.
        stopped = TerraformResource(
            self,
            "stop",
            terraform_resource_type="terraform_data",
            provisioners=[
                LocalExecProvisioner(
                    type="local-exec",
                    command=cluster.id,
                    interpreter=[*stop.command, "--name", name, "--spool", str(queue_folder), "--cluster-id"],
                    working_dir=stop.folder,
                    environment=stop.environment or None,
                )
            ],
        )
        stopped.add_override("triggers_replace", cluster.id)
        stopped.override_logical_id(f"stop_{key}")


def _log_conf(destination: str) -> ClusterClusterLogConf | None:
    if destination.startswith("dbfs:"):
        return ClusterClusterLogConf(dbfs=ClusterClusterLogConfDbfs(destination=template(destination)))
    if destination:
        return ClusterClusterLogConf(volumes=ClusterClusterLogConfVolumes(destination=template(destination)))
    return None


def _library(library: LibrarySettings) -> ClusterLibrary:
    repo = library.repo or None
    if library.pypi:
        return ClusterLibrary(pypi=ClusterLibraryPypi(package=template(library.pypi), repo=repo))
    if library.maven:
        maven = ClusterLibraryMaven(coordinates=library.maven, repo=repo, exclusions=library.exclusions or None)
        return ClusterLibrary(maven=maven)
    if library.jar:
        return ClusterLibrary(jar=template(library.jar))
    return ClusterLibrary(whl=template(library.whl or ""))

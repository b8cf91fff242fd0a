"""Options that select where folders are listed: on this machine or a Spark server, through the API or from mounts."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import click

from inventory.commands import options
from inventory.scan.mounts import Mounts
from inventory.spark.start import HOUR_SECONDS, Backend
from labkit.extras import cli

Verb = TypeVar("Verb", bound=Callable[..., Any])


def backend_options(verb: Verb) -> Verb:
    """Add the options; the command receives them, checked, as the argument `backend`."""

    @functools.wraps(verb)
    def with_backend(
        *args: Any,
        spark_remote: str | None,
        cluster_id: str | None,
        serverless: bool,
        start_cluster: bool,
        token_lifetime: float,
        table: str | None,
        mounts: bool,
        mounts_root: str | None,
        **rest: Any,
    ) -> Any:
        cluster_id = options.named_cluster(cluster_id, rest.get("profile"))
        if not (spark_remote or cluster_id or serverless):
            spark_remote = options.environment().get("SPARK_REMOTE") or None
        root = (mounts_root or "/") if mounts else None
        backend = Backend(
            spark_remote, cluster_id, serverless, start_cluster, token_lifetime * HOUR_SECONDS, table, root
        )
        _check_backend(backend, mounts_root)
        return verb(*args, backend=backend, **rest)

    for option in reversed(
        (
            click.option(
                "--spark-remote",
                metavar="URL",
                help="List the folders on the executors of a Spark Connect server: sc://HOST:PORT, or local[N] to"
                " start one on this machine. SPARK_REMOTE does the same.",
            ),
            options.cluster_id(
                help="List the folders on this cluster; without ID, the one in DATABRICKS_CLUSTER_ID or in the profile."
            ),
            click.option("--serverless", is_flag=True, help="Use serverless compute to list the folders."),
            click.option("--start-cluster", is_flag=True, help="Start the cluster if it is stopped."),
            click.option(
                "--token-lifetime",
                metavar="HOURS",
                type=cli.FloatParamType(0.1, 24 * 90, unit="hours"),
                default=4.0,
                show_default=True,
                help="Maximum lifetime of the executors' token, which is always revoked after the scan.",
            ),
            click.option("--table", metavar="NAME", help="Also write a row for every file into this Spark table."),
            click.option(
                "--mounts",
                is_flag=True,
                help="Read homes from a cluster's mounts, if available: exact sizes, no rate limit.",
            ),  # fmt: skip
            click.option(
                "--mounts-root", metavar="DIR", help="Directory that contains the mounts, for --mounts.  [default: /]"
            ),
        )
    ):
        with_backend = option(with_backend)
    return cast(Verb, with_backend)


def _check_backend(backend: Backend, mounts_root: str | None) -> None:
    """Raise CommandError for options that contradict each other."""
    named = [bool(backend.remote), bool(backend.cluster_id), backend.serverless]
    if sum(named) > 1:
        raise cli.CommandError("--spark-remote, --cluster-id and --serverless cannot be combined.")
    if backend.start_cluster and not backend.cluster_id:
        raise cli.CommandError("--start-cluster needs --cluster-id.")
    if backend.table and not backend.uses_spark:
        raise cli.CommandError("--table needs Spark: add --cluster-id, --serverless or --spark-remote.")
    if mounts_root and not backend.mounts:
        raise cli.CommandError("--mounts-root needs --mounts.")
    if backend.mounts and not backend.uses_spark and not Mounts(backend.mounts).sources_with_homes():
        place = "here" if backend.mounts == "/" else f"below {backend.mounts}"
        raise cli.CommandError(
            f"there are no mounts {place} (Workspace/Users or dbfs/Users): read them on a cluster with --cluster-id,"
            " or set --mounts-root to the directory that contains them."
        )

"""Options that say where folders are listed: here or by the executors of a Spark server, by the API or on mounts."""

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
    """Add the options; the verb gets them as the one argument `backend`, checked."""

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
                help="Executors list the folders: the address of a Spark Connect server, sc://HOST:PORT, or local[N] to"
                " start one here; SPARK_REMOTE does the same.",
            ),
            options.cluster_id(
                help="Likewise on this cluster; without ID that of DATABRICKS_CLUSTER_ID or of the profile."
            ),
            click.option("--serverless", is_flag=True, help="Likewise on the serverless compute of the workspace."),
            click.option("--start-cluster", is_flag=True, help="Start the cluster if it is stopped."),
            click.option(
                "--token-lifetime",
                metavar="HOURS",
                type=cli.FloatParamType(0.1, 24 * 90, unit="hours"),
                default=4.0,
                show_default=True,
                help="Of the token that is made for the executors; it is revoked at the end anyway.",
            ),
            click.option("--table", metavar="NAME", help="Also write a row for every file into this table of Spark."),
            click.option(
                "--mounts",
                is_flag=True,
                help="Read the mounts of a cluster, where homes are on them: exact sizes, and no limit of an API.",
            ),  # fmt: skip
            click.option("--mounts-root", metavar="DIR", help="Where the mounts are, with --mounts.  [default: /]"),
        )
    ):
        with_backend = option(with_backend)
    return cast(Verb, with_backend)


def _check_backend(backend: Backend, mounts_root: str | None) -> None:
    """Raises CommandError for options that contradict each other."""
    named = [bool(backend.remote), bool(backend.cluster_id), backend.serverless]
    if sum(named) > 1:
        raise cli.CommandError(
            "--spark-remote, --cluster-id and --serverless are three servers; give only one of them."
        )
    if backend.start_cluster and not backend.cluster_id:
        raise cli.CommandError("--start-cluster needs --cluster-id.")
    if backend.table and not backend.uses_spark:
        raise cli.CommandError("--table needs Spark: add --cluster-id, --serverless or --spark-remote.")
    if mounts_root and not backend.mounts:
        raise cli.CommandError("--mounts-root says where the mounts are; add --mounts.")
    if backend.mounts and not backend.uses_spark and not Mounts(backend.mounts).sources_with_homes():
        place = "here" if backend.mounts == "/" else f"below {backend.mounts}"
        raise cli.CommandError(
            f"there are no mounts {place} (Workspace/Users or dbfs/Users): let a cluster look, with --cluster-id,"
            " or name their place with --mounts-root."
        )

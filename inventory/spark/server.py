"""A local Spark Connect server as a process, which prints its endpoint and ends when its stdin is closed.

Started by `local_server.LocalServer`. Its files are in a temporary folder, which it removes.
"""

import contextlib
import json
import os
import secrets
import sys
import tempfile
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

SETTINGS = {
    "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.connect.grpc.binding.port": "0",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    # Isolates the files of different sessions from each other.
    "spark.sql.artifact.isolation.enabled": "true",
    "spark.sql.artifact.isolation.alwaysApplyClassloader": "true",
    # The server runs for minutes on a machine that has other work.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
}
SERVICE = "org.apache.spark.sql.connect.service.SparkConnectService$"


def prepare(environ: MutableMapping[str, str]) -> None:
    """Make workers use this Python, and ignore any workspace in the environment.

    `make` links a Java runtime beside the interpreter if the system has none. The default path is added for bash, which
    Spark's launcher needs.
    """
    for name in [name for name in environ if name.startswith(("DATABRICKS_", "SPARK_REMOTE", "SPARK_CONNECT_"))]:
        del environ[name]
    environ["PYSPARK_PYTHON"] = sys.executable
    environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    folders = [str(Path(sys.executable).parent), environ.get("PATH", ""), os.defpath]
    environ["PATH"] = os.pathsep.join(filter(None, folders))


def serve(master: str, folder: str) -> None:
    """Listen until stdin is closed. Prints one line of JSON with port, secret and process id."""
    from pyspark.sql import SparkSession

    secret = secrets.token_urlsafe(32)
    builder: Any = SparkSession.builder
    builder = builder.master(master).config("spark.local.dir", folder).config("spark.sql.warehouse.dir", folder)
    settings = {**SETTINGS, "spark.connect.authenticate.token": secret}
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    service = getattr(getattr(spark._jvm, SERVICE), "MODULE$")
    ready = {"port": int(service.localPort()), "secret": secret, "pid": spark.sparkContext._gateway.proc.pid}
    print(json.dumps(ready), flush=True)
    sys.stdin.read()
    # The server may already have been killed.
    with contextlib.suppress(Exception):
        spark.stop()


def problem(error: Exception) -> str:
    """Return why the server did not start."""
    text = str(error)
    if isinstance(error, ModuleNotFoundError):
        return f"the Spark client is not installed ({error.name} is missing): pip install 'pyspark[connect]==4.0.*'."
    if isinstance(error, FileNotFoundError) or "JAVA_GATEWAY" in text or "JAVA_HOME" in text:
        return "a local Spark server needs Java 17 or 21, which was not found: install it, or set JAVA_HOME."
    return f"the Spark server did not start: {' '.join(text.split())[:300]}"


if __name__ == "__main__":
    prepare(os.environ)
    with tempfile.TemporaryDirectory(prefix="inventory-spark-", ignore_cleanup_errors=True) as place:
        os.chdir(place)
        try:
            serve(sys.argv[1], place)
        except Exception as error:  # noqa: BLE001 - reported to the parent process
            print(json.dumps({"problem": problem(error)}), flush=True)
            sys.exit(1)
        finally:
            os.chdir("/")

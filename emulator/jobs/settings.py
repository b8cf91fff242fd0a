"""Settings of jobs: their checks, the platform's default values, and how changes are merged."""

import copy
import re
from collections.abc import Callable
from typing import Any

from emulator.api.errors import invalid

MAX_NAME_LENGTH = 4096
MAX_TASKS = 1000
_KEY = re.compile(r"[\w-]{1,100}")
GIT_PROVIDERS = (
    "github,gitlab,bitbucketcloud,gitlabenterpriseedition,bitbucketserver,azuredevopsservices,githubenterprise,"
    "awscodecommit"
)
SINGLE_TASK_FIELDS = (
    "existing_cluster_id",
    "new_cluster",
    "notebook_task",
    "spark_jar_task",
    "spark_python_task",
    "spark_submit_task",
    "python_wheel_task",
    "libraries",
)
"""Fields of the task in the older format of a job, which has one task and its fields at the top level."""
COMPUTE_FIELDS = ("existing_cluster_id", "new_cluster", "job_cluster_key")
NOT_SETTINGS = ("access_control_list", "idempotency_token", "job_id")
"""Fields that a request may contain besides the settings."""
Complete = Callable[[dict[str, Any]], dict[str, Any]]
"""Completes the definition of a new cluster."""


def completed(sent: dict[str, Any], complete_cluster: Complete) -> dict[str, Any]:
    """Return the settings that are stored for a request: the values sent and the platform's defaults.

    Raises 400 INVALID_PARAMETER_VALUE for invalid settings.
    """
    settings = {name: copy.deepcopy(value) for name, value in sent.items() if name not in NOT_SETTINGS}
    _check(settings)
    settings = {
        "name": "Untitled",
        "email_notifications": {},
        "webhook_notifications": {},
        "timeout_seconds": 0,
        "max_concurrent_runs": 1,
        **{name: value for name, value in settings.items() if value is not None},
    }
    is_single = any(settings.get(name) for name in SINGLE_TASK_FIELDS) and not settings.get("tasks")
    settings["format"] = "SINGLE_TASK" if is_single else "MULTI_TASK"
    for task in settings.get("tasks", []):
        task.setdefault("run_if", "ALL_SUCCESS")
        task.setdefault("timeout_seconds", 0)
        task.setdefault("email_notifications", {})
    for section in [*settings.get("tasks", []), *settings.get("job_clusters", []), settings]:
        if isinstance(section.get("new_cluster"), dict):
            section["new_cluster"] = complete_cluster(section["new_cluster"])
    return settings


def merged(current: dict[str, Any], changes: dict[str, Any], removed: list[str]) -> dict[str, Any]:
    """Return the settings after an update: fields are replaced as a whole, tasks and job clusters by their key.

    `removed` names fields, or one task or job cluster such as `tasks/task_1`.
    """
    settings = copy.deepcopy(current)
    for path in removed:
        field, _, key = path.partition("/")
        if key and field in LIST_KEYS:
            settings[field] = [one for one in settings.get(field, []) if one.get(LIST_KEYS[field]) != key]
        else:
            settings.pop(field, None)
    for field, value in changes.items():
        if field in LIST_KEYS and isinstance(value, list):
            settings[field] = _merged_list(settings.get(field, []), value, LIST_KEYS[field])
        else:
            settings[field] = value
    return settings


LIST_KEYS = {"tasks": "task_key", "job_clusters": "job_cluster_key", "parameters": "name"}


def _merged_list(current: list[dict[str, Any]], changes: list[Any], key: str) -> list[Any]:
    new = {one.get(key): one for one in changes if isinstance(one, dict)}
    kept = [new.pop(one.get(key), one) for one in current]
    return [*kept, *new.values()]


def tasks_of(settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the tasks, of both formats; a job may have none."""
    tasks = settings.get("tasks")
    if tasks:
        return list(tasks)
    single = {name: settings[name] for name in SINGLE_TASK_FIELDS if settings.get(name)}
    return [{"task_key": "main", **single}] if single else []


def _check(settings: dict[str, Any]) -> None:
    name = settings.get("name")
    if name is not None and (not isinstance(name, str) or len(name.encode()) > MAX_NAME_LENGTH):
        raise invalid(f"name must be a text of at most {MAX_NAME_LENGTH} bytes.")
    git_source = settings.get("git_source")
    if isinstance(git_source, dict) and not git_source.get("git_provider"):
        raise invalid(f"git_source.git_provider must be one of: {GIT_PROVIDERS}")
    runs = settings.get("max_concurrent_runs")
    if runs is not None and (not isinstance(runs, int) or not 0 <= runs <= 1000):
        raise invalid("max_concurrent_runs must be between 0 and 1000.")
    if settings.get("continuous") is not None and settings.get("schedule") is not None:
        raise invalid("Only one of schedule and continuous can be set.")
    for field in ("tasks", "job_clusters", "parameters"):
        value = settings.get(field)
        if value is not None and not (isinstance(value, list) and all(isinstance(one, dict) for one in value)):
            raise invalid(f"{field} must be a list of objects.")
    clusters = _keys(settings.get("job_clusters") or [], "job_cluster_key")
    _check_tasks(settings.get("tasks") or [], clusters)


def _check_tasks(tasks: list[dict[str, Any]], clusters: list[str]) -> None:
    if len(tasks) > MAX_TASKS:
        raise invalid(f"A job has at most {MAX_TASKS} tasks.")
    keys = _keys(tasks, "task_key")
    for task in tasks:
        cluster = task.get("job_cluster_key")
        if cluster is not None and cluster not in clusters:
            raise invalid(f"Job cluster '{cluster}' is not defined in field 'job_clusters'.")
        if sum(bool(task.get(name)) for name in COMPUTE_FIELDS) > 1:
            raise invalid(
                f"Only one of job_cluster_key, new_cluster, or existing_cluster_id can be specified in task "
                f"'{task['task_key']}'."
            )
        for other in dependencies(task):
            if other not in keys:
                raise invalid(f"Task '{task['task_key']}' depends on task '{other}', which does not exist.")
    _check_cycles(tasks)


def _check_cycles(tasks: list[dict[str, Any]]) -> None:
    waiting = {str(task["task_key"]): set(dependencies(task)) for task in tasks}
    while waiting:
        free = [key for key, others in waiting.items() if not others & waiting.keys()]
        if not free:
            raise invalid(f"The dependencies of these tasks form a cycle: {', '.join(sorted(waiting))}.")
        for key in free:
            del waiting[key]


def dependencies(task: dict[str, Any]) -> list[str]:
    """Return the keys of the tasks on which a task depends."""
    given = task.get("depends_on") or []
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise invalid("depends_on must be a list of objects.")
    return [str(one.get("task_key")) for one in given]


def _keys(entries: list[dict[str, Any]], field: str) -> list[str]:
    keys: list[str] = []
    for entry in entries:
        key = entry.get(field)
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise invalid(f"{field} must be 1 to 100 letters, digits, hyphens and underscores, not {key!r}.")
        if key in keys:
            raise invalid(f"{field} '{key}' is used more than once.")
        keys.append(key)
    return keys

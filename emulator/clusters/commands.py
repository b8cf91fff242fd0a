"""Execution contexts with their commands, and job runs.

Nothing is computed: a command or a run uses its cluster for one transition, and then succeeds without output.
"""

from emulator.base.clock import Millis
from emulator.base.scheduler import task_handler
from emulator.clusters.activity import record_use
from emulator.models.clusters import SQL_COMMAND, USABLE_STATES, Cluster, Command, ExecutionContext, JobRun
from emulator.models.jobs import TASK_OVER
from emulator.state.workspace import EmulatedWorkspace

COMMAND_ENDS = "commands.end"
RUN_ENDS = "runs.end"
RELEASE = "runs.release"
RUN_STEP_MS = 5 * 60_000
"""Milliseconds of use that a long run records at a time."""
LANGUAGES = ("python", "scala", "sql", "r")


def open_context(workspace: EmulatedWorkspace, cluster: Cluster, language: str, user: str) -> ExecutionContext:
    """Create a context for the user. It is Pending until the cluster runs."""
    state = workspace.state
    context = ExecutionContext(state.ids.hex("context", cluster.cluster_id, 20), cluster.cluster_id, language, user)
    context.status = "Running" if cluster.state in USABLE_STATES else "Pending"
    state.clusters.contexts[context.context_id] = context
    return context


def close_context(workspace: EmulatedWorkspace, context: ExecutionContext) -> None:
    """Remove the context, and cancel and remove its commands."""
    clusters = workspace.state.clusters
    del clusters.contexts[context.context_id]
    for command in [command for command in clusters.commands.values() if command.context_id == context.context_id]:
        cancel(workspace, command)
        del clusters.commands[command.command_id]


def execute(
    workspace: EmulatedWorkspace, cluster: Cluster, context: ExecutionContext, text: str, at: Millis
) -> Command:
    """Run a command in the context, now or as soon as the cluster runs."""
    state = workspace.state
    command_id = state.ids.hex("command", context.context_id, 32)
    command = Command(command_id, context.context_id, cluster.cluster_id, text)
    state.clusters.commands[command.command_id] = command
    if cluster.state in USABLE_STATES:
        _begin(workspace, cluster, command, at)
    return command


def cancel(workspace: EmulatedWorkspace, command: Command) -> None:
    """Cancel a command, unless it has finished."""
    if command.status in ("Queued", "Running"):
        workspace.state.scheduler.cancel(COMMAND_ENDS, command_id=command.command_id)
        command.status = "Cancelled"


def submit(workspace: EmulatedWorkspace, cluster: Cluster, run: JobRun, at: Millis) -> None:
    """Add a run, which starts now or as soon as its cluster runs."""
    workspace.state.clusters.runs[str(run.run_id)] = run
    if cluster.state in USABLE_STATES:
        _begin_run(workspace, cluster, run, at)


def cancel_run(workspace: EmulatedWorkspace, run: JobRun, at: Millis) -> None:
    """Cancel a run, unless it has finished."""
    if run.ended_at is None:
        workspace.state.scheduler.cancel(RUN_ENDS, run_id=run.run_id)
        run.state, run.result, run.message, run.ended_at = "TERMINATED", "CANCELED", "Run cancelled.", at
        _release_cluster(workspace, run, at)


def on_running(workspace: EmulatedWorkspace, cluster: Cluster, at: Millis) -> None:
    """Start the contexts, commands and runs that were waiting for the cluster."""
    clusters = workspace.state.clusters
    for context in clusters.contexts.values():
        if context.cluster_id == cluster.cluster_id and context.status == "Pending":
            context.status = "Running"
    for command in clusters.commands.values():
        if command.cluster_id == cluster.cluster_id and command.status == "Queued":
            _begin(workspace, cluster, command, at)
    for run in clusters.runs.values():
        if run.cluster_id == cluster.cluster_id and run.state == "PENDING":
            _begin_run(workspace, cluster, run, at)


def on_stopped(workspace: EmulatedWorkspace, cluster_id: str, at: Millis) -> None:
    """Fail all contexts, commands and runs on the cluster, including waiting ones."""
    clusters, scheduler = workspace.state.clusters, workspace.state.scheduler
    for context in clusters.contexts.values():
        if context.cluster_id == cluster_id:
            context.status = "Error"
    for command in clusters.commands.values():
        if command.cluster_id == cluster_id and command.status in ("Queued", "Running"):
            scheduler.cancel(COMMAND_ENDS, command_id=command.command_id)
            command.status = "Error"
    for run in clusters.runs.values():
        if run.cluster_id == cluster_id and run.ended_at is None:
            scheduler.cancel(RUN_ENDS, run_id=run.run_id)
            run.state, run.result, run.ended_at = "INTERNAL_ERROR", "FAILED", at
            run.message = f"Cluster {cluster_id} was terminated or restarted during the run."
            _report_task(workspace, run, at)


def on_removed(workspace: EmulatedWorkspace, cluster_id: str) -> None:
    """Remove the contexts and commands of a permanently deleted cluster. Its runs are kept."""
    clusters = workspace.state.clusters
    for context in [context for context in clusters.contexts.values() if context.cluster_id == cluster_id]:
        close_context(workspace, context)


def _begin(workspace: EmulatedWorkspace, cluster: Cluster, command: Command, at: Millis) -> None:
    command.status = "Running"
    ends = at + workspace.transition()
    record_use(workspace, cluster, ends, at)
    workspace.state.scheduler.schedule(ends, COMMAND_ENDS, command_id=command.command_id)


def _begin_run(workspace: EmulatedWorkspace, cluster: Cluster, run: JobRun, at: Millis) -> None:
    run.state, run.began_at = "RUNNING", at
    if run.lasts is None:
        run.lasts = workspace.transition()
    _use_for_run(workspace, cluster, run, at)


def _use_for_run(workspace: EmulatedWorkspace, cluster: Cluster, run: JobRun, at: Millis) -> None:
    """Keep the cluster in use for a while, but at most to the end of the run."""
    # Use is recorded in steps, because a cancelled run must not keep its cluster in use.
    until = min((run.began_at or at) + (run.lasts or 0), at + RUN_STEP_MS)
    record_use(workspace, cluster, until, at)
    workspace.state.scheduler.schedule(until, RUN_ENDS, run_id=run.run_id)


def _release_cluster(workspace: EmulatedWorkspace, run: JobRun, at: Millis) -> None:
    """Terminate the cluster of a finished run, if it was created for this run."""
    if run.own_cluster:
        workspace.state.scheduler.schedule(at, RELEASE, cluster_id=run.cluster_id)
    _report_task(workspace, run, at)


def _report_task(workspace: EmulatedWorkspace, run: JobRun, at: Millis) -> None:
    """Inform the jobs API that a task has finished."""
    if run.is_task:
        workspace.state.scheduler.schedule(at, TASK_OVER, task_run_id=run.run_id)


@task_handler(COMMAND_ENDS)
def command_ends(workspace: EmulatedWorkspace, at: Millis, *, command_id: str) -> None:
    """Finish the command. A SQL command is executed if the workspace has Unity Catalog."""
    clusters = workspace.state.clusters
    command = clusters.commands[command_id]
    context = clusters.contexts.get(command.context_id)
    if context and context.language == "sql" and workspace.state.settings.metastore_id:
        workspace.state.scheduler.schedule(at, SQL_COMMAND, command_id=command_id)
    else:
        command.status = "Finished"


@task_handler(RUN_ENDS)
def run_ends(workspace: EmulatedWorkspace, at: Millis, *, run_id: int) -> None:
    """Finish the run."""
    run = workspace.state.clusters.runs[str(run_id)]
    cluster = workspace.state.clusters.by_id.get(run.cluster_id)
    if cluster and run.lasts is not None and run.began_at is not None and at < run.began_at + run.lasts:
        _use_for_run(workspace, cluster, run, at)
        return
    run.state, run.result, run.ended_at = "TERMINATED", "SUCCESS", at
    _release_cluster(workspace, run, at)

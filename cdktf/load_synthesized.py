"""Create the resources in a synthesized stack through the SDK, for machines on which Terraform has no providers.

For rehearsals only: it creates accounts, groups, clusters, libraries, their permissions and the course file, once and
in an empty workspace. It does not change or remove existing objects and keeps no state; that requires Terraform.
"""

import json
import os
import sys
from pathlib import Path

# Run as a script: the project's root is added to sys.path so that labkit can be imported.
sys.path.append(str(Path(__file__).resolve().parent.parent))

import click

from labkit import exit_status
from labkit.extras import cli, dotenv
from labkit.extras.sdk import DatabricksError, whole_client
from labkit.text import escaped, first_line
from labkit.workspace.access import choose_and_apply
from labkit.workspace.choice import WorkspaceChoiceError
from labkit.workspace.expected import mismatch
from preflight.facts import configure, identify
from preflight.identity import GuardError, target_expectation
from preflight.target_access import target_flags
from synthesized.loader import LoadError, load


@click.command(
    help=__doc__,
    epilog="Example: python cdktf/load_synthesized.py cdktf.out/stacks/94290-2026w-rehearsal/cdk.tf.json",
)
@click.argument("stack", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@cli.json_option
@cli.version_option
def main(stack: Path, as_json: bool) -> None:
    """Create one stack's resources in the workspace that the environment specifies."""
    try:
        synthesized = json.loads(stack.read_text(encoding="utf-8"))
        query = synthesized["data"]["external"]["workspace"]["query"]
        expectation = target_expectation(query["target"], query["expected_host"], query["expected_workspace_id"])
        flags = target_flags(query["target"], host=query["host"], profile=query["profile"])
    except (ValueError, KeyError) as error:
        raise click.UsageError(f"{stack} is not a synthesized stack ({error}).") from error
    try:
        choice = choose_and_apply(os.environ, flags, dotenv.load(os.environ))
        client = whole_client(configure(choice))
        if problem := mismatch(identify(client), expectation):
            raise GuardError(problem)
        loaded = load(client, synthesized)
    except (LoadError, GuardError, WorkspaceChoiceError, dotenv.DotenvError) as error:
        cli.fail(str(error))
    except (DatabricksError, OSError) as error:
        print(escaped(f"The workspace refused a request: {first_line(error)}."), file=sys.stderr)
        sys.exit(exit_status.PARTLY_FAILED)
    if as_json:
        print(json.dumps(loaded.__dict__))
        return
    print(
        f"Created {loaded.users} accounts, {loaded.groups} groups with {loaded.memberships} memberships, "
        f"{loaded.clusters} clusters with {loaded.permissions} access control lists, and the course file."
    )


if __name__ == "__main__":
    main()

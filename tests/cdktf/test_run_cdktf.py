"""`pipenv run cdktf`: its environment, its messages, and its search for Terraform's providers."""

import json
import os
import platform
import signal
from pathlib import Path

import pytest

from check_workspace import main as check_workspace
from emulator_process import EmulatorProcess
from labkit.workspace.choice import WORKSPACE_NOT_CONFIGURED
from minimal_lab import minimal_lab
from preflight import provider_lock
from preflight.guard_query import WARNINGS
from preflight.identity import WARNINGS_SHOWN
from preflight.providers import (
    PROVIDERS,
    has_provider_installation,
    mirror_folders,
    missing_from_mirrors,
    missing_providers_error,
)
from reexec import venv_interpreter
from run_cdktf import (
    PreflightError,
    PreflightResult,
    cdktf_environment,
    find_cdktf,
    must_skip_lock,
    output_folder,
    run_preflight,
    run_then,
)

MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
SUFFIX = f"{platform.system().lower()}_{MACHINE}"


def environment(tmp_path: Path, *, skips_lock: bool = False, is_coloured: bool = True, **given: str) -> dict[str, str]:
    return cdktf_environment(
        {"PATH": "/usr/bin", **given}, root=tmp_path, skips_lock=skips_lock, is_coloured=is_coloured
    )


def test_parallelism_is_50_by_default(tmp_path: Path):
    assert environment(tmp_path)["CDKTF_TERRAFORM_PARALLELISM"] == "50"
    assert environment(tmp_path, CDKTF_TERRAFORM_PARALLELISM="10")["CDKTF_TERRAFORM_PARALLELISM"] == "10"


def test_terraform_collects_garbage_rarely_by_default(tmp_path: Path):
    assert environment(tmp_path)["GOGC"] == "400"
    assert environment(tmp_path, GOGC="50")["GOGC"] == "50"


def test_cdktf_uses_the_production_build_of_its_display_by_default(tmp_path: Path):
    assert environment(tmp_path)["NODE_ENV"] == "production"
    assert environment(tmp_path, NODE_ENV="development")["NODE_ENV"] == "development"


def test_the_projects_cdktf_and_python_come_first_on_the_path(tmp_path: Path):
    folders = environment(tmp_path)["PATH"].split(":")
    assert folders[1:] == [str(tmp_path / "node_modules" / ".bin"), "/usr/bin"]
    assert (Path(folders[0]) / "python3").exists()


def test_the_provider_lock_is_skipped_with_a_mirror(tmp_path: Path):
    assert environment(tmp_path, skips_lock=True)["CDKTF_SKIP_PROVIDER_LOCK"] == "true"
    assert "CDKTF_SKIP_PROVIDER_LOCK" not in environment(tmp_path)


def test_a_missing_cli_configuration_is_removed(tmp_path: Path):
    there = tmp_path / "terraformrc"
    there.touch()
    assert environment(tmp_path, TF_CLI_CONFIG_FILE=str(there))["TF_CLI_CONFIG_FILE"] == str(there)
    assert "TF_CLI_CONFIG_FILE" not in environment(tmp_path, TF_CLI_CONFIG_FILE=str(tmp_path / "nowhere"))


def test_there_are_no_escape_codes_without_a_terminal(tmp_path: Path):
    plain = environment(tmp_path, is_coloured=False)
    assert plain["TF_CLI_ARGS_plan"] == plain["TF_CLI_ARGS_apply"] == "-no-color"
    assert (plain["CI"], plain["FORCE_COLOR"]) == ("true", "0")
    assert "TF_CLI_ARGS_plan" not in environment(tmp_path)


def test_version_checks_are_disabled(tmp_path: Path):
    made = environment(tmp_path)
    assert (made["DISABLE_VERSION_CHECK"], made["CHECKPOINT_DISABLE"]) == ("true", "1")


def test_the_error_for_a_missing_cdktf_contains_the_install_command(tmp_path: Path):
    with pytest.raises(PreflightError, match=r"cdktf-cli is not installed; run `npm ci` in "):
        find_cdktf(tmp_path)


def test_a_missing_program_causes_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = tmp_path / "node_modules" / ".bin" / "cdktf"
    program.parent.mkdir(parents=True)
    program.touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PreflightError, match="Node.js is not installed; cdktf needs version 20"):
        find_cdktf(tmp_path)
    (tmp_path / "node").touch(mode=0o755)
    with pytest.raises(PreflightError, match=r"Terraform is not installed; the lab needs 1\.5"):
        find_cdktf(tmp_path)
    (tmp_path / "terraform").touch(mode=0o755)
    assert find_cdktf(tmp_path) == program
    with pytest.raises(PreflightError, match=r"TERRAFORM_BINARY_NAME: there is no tofu; the lab needs 1\.5"):
        find_cdktf(tmp_path, terraform="tofu")
    (tmp_path / "tofu").touch(mode=0o755)
    assert find_cdktf(tmp_path, terraform="tofu") == program


TARGETS = """
[targets.lab]
profile = "LAB"
[targets.open]
[targets.host]
host = "https://other.example"
"""


@pytest.fixture
def settings_environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the variables that point to the settings and profiles in a temporary folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.toml").write_text(minimal_lab(TARGETS))
    (tmp_path / "r.csv").write_text(
        "number,moodle_group_id,moodle_group_name,email,status,account\n1,1,a,ana@x.example,active,managed\n"
    )
    (tmp_path / "profiles").write_text("[LAB]\nhost = https://lab.example\ntoken = of-profile\n")
    return {"LAB_CONFIG": str(tmp_path / "lab.toml"), "DATABRICKS_CONFIG_FILE": str(tmp_path / "profiles")}


def synth_environ(environ: dict[str, str]) -> dict[str, str]:
    """Return the environment that `synth` leaves for Terraform."""
    changed = dict(environ)
    run_preflight("synth", changed)
    return changed


def test_terraform_gets_only_the_targets_credential(settings_environ: dict[str, str]):
    other = {"DATABRICKS_HOST": "https://other.example", "DATABRICKS_TOKEN": "t", "DATABRICKS_CLIENT_SECRET": "s"}
    assert synth_environ({**settings_environ, **other, "HOME": "/"}) == {
        **settings_environ,
        "HOME": "/",
        "DATABRICKS_CONFIG_PROFILE": "LAB",
    }


def test_terraform_gets_the_variables_from_dotenv(settings_environ: dict[str, str], tmp_path: Path):
    whole = {"DATABRICKS_HOST": "https://lab.example", "DATABRICKS_TOKEN": "t"}
    file = {**whole, "ARM_TENANT_ID": "x", "LAB_TARGET": "open"}
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in file.items()))
    assert synth_environ(settings_environ) == {**settings_environ, **file}
    environ = {**settings_environ, "DATABRICKS_HOST": "https://other.example", "DATABRICKS_TOKEN": "e"}
    assert synth_environ(environ) == {**environ, "ARM_TENANT_ID": "x", "LAB_TARGET": "open"}


def test_a_conflict_between_target_and_environment_is_refused(settings_environ: dict[str, str]):
    environ = {**settings_environ, "LAB_TARGET": "host", "DATABRICKS_TOKEN": "hidden"}
    with pytest.raises(
        PreflightError, match="Target host: host of target host specifies https://other.example, but "
    ) as raised:
        synth_environ({**environ, "DATABRICKS_HOST": "https://lab.example"})
    assert "hidden" not in str(raised.value)
    assert synth_environ({**environ, "DATABRICKS_HOST": "other.example/"})["DATABRICKS_TOKEN"] == "hidden"


def test_a_command_that_reads_no_settings_needs_none(settings_environ: dict[str, str], tmp_path: Path):
    (tmp_path / "lab.toml").unlink()
    assert run_preflight("", settings_environ) == run_preflight("login", settings_environ) == PreflightResult()
    (tmp_path / ".env").write_text("A=\0")
    with pytest.raises(PreflightError, match="contains a NUL character"):
        run_preflight("", settings_environ)


@pytest.mark.parametrize(
    ("variables", "messages"),
    [
        ({"LAB_TARGET": "moon"}, ["LAB_TARGET is 'moon'; it must be one of lab, open, host."]),
        ({"LAB_TARGET": "open"}, [WORKSPACE_NOT_CONFIGURED]),
        ({"DATABRICKS_CONFIG_FILE": "/nowhere"}, ["Target lab: there is no profile 'LAB'; existing profiles: none."]),
        (
            {"LAB_TARGET": "open", "DATABRICKS_HOST": "ftp://x", "DATABRICKS_TOKEN": "t"},
            ["Target open: DATABRICKS_HOST is not a workspace URL; it must be https://<name>."],
        ),
    ],
)
def test_an_invalid_target_or_workspace_is_reported_before_cdktf_starts(
    settings_environ: dict[str, str], variables: dict[str, str], messages: list[str]
):
    with pytest.raises(PreflightError) as raised:
        run_preflight("deploy", settings_environ | variables)
    assert str(raised.value).splitlines() == messages


def test_synth_reports_all_errors_in_the_settings(settings_environ: dict[str, str], tmp_path: Path):
    (tmp_path / "lab.toml").write_text(minimal_lab(TARGETS, course="name_prefix = 1\nmax_group_size = -1"))
    for verb in ("synth", "diff"):
        with pytest.raises(PreflightError) as raised:
            run_preflight(verb, settings_environ)
        assert str(raised.value).splitlines() == [
            "lab.toml: course.max_group_size must be a whole number; 0 means no limit, not -1.",
            "lab.toml: course.name_prefix must be letters, digits, hyphens and underscores, or empty, not 1.",
        ]
    (tmp_path / "lab.toml").write_text(minimal_lab(TARGETS))
    (tmp_path / "r.csv").unlink()
    with pytest.raises(
        PreflightError, match=r"r\.csv cannot be read \(No such file or directory\); python cdktf/import_roster"
    ):
        run_preflight("diff", settings_environ)


@pytest.mark.process
def test_the_guards_warnings_are_printed_once(
    settings_environ: dict[str, str], tmp_path: Path, emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        for name, value in {
            **settings_environ,
            **emulator.environment(),
            "LAB_TARGET": "open",
            WARNINGS_SHOWN: "",
        }.items():
            patch.setenv(name, value)
        preflight_result = run_preflight("deploy", os.environ)
        query = {"target": "open", "host": "", "profile": "", "expected_host": "", "expected_workspace_id": ""}
        query |= {"clusters": "{}", "group_names": "[]", "course_file": "/x"}
        answer = check_workspace(query)
        of_destroy = run_preflight("destroy", os.environ)
        (tmp_path / "lab.toml").write_text(
            minimal_lab('[targets.open]\nexpected_workspace_id = "42"'.replace("open", "lab"))
        )
        patch.setenv("LAB_TARGET", "lab")
        with pytest.raises(PreflightError) as wrong:
            run_preflight("deploy", os.environ)
        patch.setenv("DATABRICKS_TOKEN", "dapi0")
        with pytest.raises(PreflightError) as refused:
            run_preflight("deploy", os.environ)

    assert (preflight_result.settings_folder, preflight_result.stack) == (tmp_path, "94290-2026w-open")
    assert preflight_result.warnings[0].startswith(
        f"Connected to workspace {emulator.workspace_id} at {emulator.url} as "
    )
    assert of_destroy.warnings == preflight_result.warnings[:1]
    assert {name: answer[name] for name in WARNINGS} == dict.fromkeys(WARNINGS, "")
    assert str(wrong.value).startswith(
        "Wrong workspace: target lab has expected_workspace_id 42, but this is workspace "
    )
    assert str(refused.value).startswith(f"The workspace at {emulator.url} refused the credentials: ")


@pytest.mark.process
def test_a_host_that_refuses_connections_is_reported_at_once(
    settings_environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    for name, value in {**settings_environ, "LAB_TARGET": "open", "DATABRICKS_HOST": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATABRICKS_TOKEN", "t")
    with pytest.raises(
        PreflightError, match=r"^The workspace at http://127\.0\.0\.1:9 cannot be reached: connection refused; "
    ):
        run_preflight("diff", os.environ)


LOCK = """# This file is maintained automatically by "terraform init".
provider "registry.terraform.io/databricks/databricks" {
  version     = "1.99.0"
  constraints = "1.99.0"
  hashes = [
    "h1:a=",
  ]
}

provider "registry.terraform.io/hashicorp/external" {
  version     = "2.3.5"
  constraints = "2.3.5"
}
"""


def stack_requiring(folder: Path, databricks: str) -> Path:
    """Write a synthesized stack that requires this version."""
    required = {"databricks": {"source": "databricks/databricks", "version": databricks},
                "external": {"source": "external", "version": "2.3.5"}}  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / "cdk.tf.json").write_text(json.dumps({"terraform": {"required_providers": required}}))
    return folder


def test_the_first_inits_lock_file_is_stored_and_reused(tmp_path: Path):
    stack = stack_requiring(tmp_path / "stack", "1.99.0")
    provider_lock.copy_to_stack(tmp_path, stack)
    assert not (stack / provider_lock.FILE_NAME).exists()
    provider_lock.save(stack, tmp_path)
    assert not (tmp_path / provider_lock.FILE_NAME).exists()

    (stack / provider_lock.FILE_NAME).write_text(LOCK)
    provider_lock.save(stack, tmp_path)
    (stack / provider_lock.FILE_NAME).write_text(LOCK.replace("h1:a=", "h1:other="))
    provider_lock.save(stack, tmp_path)
    provider_lock.copy_to_stack(tmp_path, stack)

    assert [(folder / provider_lock.FILE_NAME).read_text() for folder in (tmp_path, stack)] == [LOCK, LOCK]


def test_a_lock_file_with_different_versions_is_refused(tmp_path: Path):
    (tmp_path / provider_lock.FILE_NAME).write_text(LOCK)
    with pytest.raises(provider_lock.LockFileError) as raised:
        provider_lock.copy_to_stack(tmp_path, stack_requiring(tmp_path / "stack", "1.100.0"))
    assert str(raised.value) == (
        f"{tmp_path}/.terraform.lock.hcl locks databricks/databricks 1.99.0, but the lab requires 1.100.0: remove it "
        "once you trust the new version; the next deploy with the registry stores a new one."
    )
    assert provider_lock.mismatch(LOCK.partition("\n\n")[0], {"hashicorp/external": "2.3.5"}) == (
        "does not lock hashicorp/external, which the lab requires"
    )


def test_an_init_may_not_change_a_stored_lock_file(tmp_path: Path):
    def arguments(**given: str) -> str:
        made = cdktf_environment({**given}, root=tmp_path, skips_lock=False, is_coloured=True, is_locked=True)
        return made["TF_CLI_ARGS_init"]

    assert arguments() == "-lockfile=readonly"
    assert arguments(TF_CLI_ARGS_init="-no-color") == "-no-color -lockfile=readonly"


def test_the_output_folder_follows_cdktfs_rules():
    assert [
        str(output_folder(arguments.split(), {})) for arguments in ("deploy", "deploy -o x", "diff --output=y s")
    ] == [
        "cdktf.out",
        "x",
        "y",
    ]
    assert output_folder(["deploy"], {"CDKTF_OUTPUT": "z"}) == Path("z")


@pytest.mark.process
def test_the_exit_function_runs_however_the_program_ends(tmp_path: Path):
    done: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        for command in ("exit 3", "kill -TERM $$"):
            done.append(run_then(["/bin/sh", "-c", command], {}, lambda: done.append(0)))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert done == [0, 3, 0, 128 + signal.SIGTERM]


def test_unpacked_and_packed_mirrors_are_both_found(tmp_path: Path):
    folder = mirror_folders(tmp_path)[0]
    assert missing_from_mirrors([folder]) == list(PROVIDERS)
    (folder / "registry.terraform.io/databricks/databricks/1.99.0" / SUFFIX).mkdir(parents=True)
    assert missing_from_mirrors([folder]) == ["hashicorp/external"]
    external = folder / "registry.terraform.io/hashicorp/external"
    external.mkdir(parents=True)
    (external / f"terraform-provider-external_2.3.5_{SUFFIX}.zip").touch()
    assert missing_from_mirrors([folder]) == []


def test_a_cli_configuration_with_provider_installation_is_used(tmp_path: Path):
    assert not has_provider_installation({}, tmp_path)
    (tmp_path / ".terraformrc").write_text("provider_installation { direct {} }\n")
    assert has_provider_installation({}, tmp_path)
    assert must_skip_lock({}, tmp_path, "deploy")


def test_the_error_lists_unavailable_providers():
    assert missing_providers_error(["databricks/databricks"]).startswith(
        "terraform init cannot get databricks/databricks: no local mirror has it and https://registry.terraform.io"
    )


def test_the_virtual_environment_beside_the_pipfile_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert venv_interpreter(tmp_path) is None
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert venv_interpreter(tmp_path) == python

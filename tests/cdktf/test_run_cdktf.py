"""What `pipenv run cdktf` sets, leaves alone and says, and where it looks for Terraform's providers."""

import platform
from pathlib import Path

import pytest

from minimal_lab import minimal_lab
from preflight.providers import PROVIDERS, has_own_installation, mirror_folders, not_mirrored, problem
from reexec import interpreter_of
from run_cdktf import NotReady, environment_for, needs_lock_skipped, program_of, with_choice

MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
SUFFIX = f"{platform.system().lower()}_{MACHINE}"


def environment(tmp_path: Path, *, skips_lock: bool = False, colours: bool = True, **given: str) -> dict[str, str]:
    return environment_for({"PATH": "/usr/bin", **given}, root=tmp_path, skips_lock=skips_lock, colours=colours)


def test_parallelism_is_fifty_unless_somebody_says_otherwise(tmp_path: Path):
    assert environment(tmp_path)["CDKTF_TERRAFORM_PARALLELISM"] == "50"
    assert environment(tmp_path, CDKTF_TERRAFORM_PARALLELISM="10")["CDKTF_TERRAFORM_PARALLELISM"] == "10"


def test_terraform_collects_garbage_seldom_unless_somebody_says_otherwise(tmp_path: Path):
    assert environment(tmp_path)["GOGC"] == "400"
    assert environment(tmp_path, GOGC="50")["GOGC"] == "50"


def test_the_projects_cdktf_and_python_come_first_on_the_path(tmp_path: Path):
    folders = environment(tmp_path)["PATH"].split(":")
    assert folders[1:] == [str(tmp_path / "node_modules" / ".bin"), "/usr/bin"]
    assert (Path(folders[0]) / "python3").exists()


def test_the_lock_is_skipped_where_providers_come_from_a_mirror(tmp_path: Path):
    assert environment(tmp_path, skips_lock=True)["CDKTF_SKIP_PROVIDER_LOCK"] == "true"
    assert "CDKTF_SKIP_PROVIDER_LOCK" not in environment(tmp_path)


def test_a_cli_configuration_that_does_not_exist_is_not_passed_on(tmp_path: Path):
    there = tmp_path / "terraformrc"
    there.touch()
    assert environment(tmp_path, TF_CLI_CONFIG_FILE=str(there))["TF_CLI_CONFIG_FILE"] == str(there)
    assert "TF_CLI_CONFIG_FILE" not in environment(tmp_path, TF_CLI_CONFIG_FILE=str(tmp_path / "nowhere"))


def test_there_are_no_escape_codes_without_a_terminal(tmp_path: Path):
    plain = environment(tmp_path, colours=False)
    assert plain["TF_CLI_ARGS_plan"] == plain["TF_CLI_ARGS_apply"] == "-no-color"
    assert (plain["CI"], plain["FORCE_COLOR"]) == ("true", "0")
    assert "TF_CLI_ARGS_plan" not in environment(tmp_path)


def test_nothing_is_asked_for_newer_versions(tmp_path: Path):
    made = environment(tmp_path)
    assert (made["DISABLE_VERSION_CHECK"], made["CHECKPOINT_DISABLE"]) == ("true", "1")


def test_a_missing_cdktf_is_a_sentence_with_the_command(tmp_path: Path):
    with pytest.raises(NotReady, match=r"cdktf-cli is not installed; run `npm ci` in "):
        program_of(tmp_path)


def test_missing_programs_are_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = tmp_path / "node_modules" / ".bin" / "cdktf"
    program.parent.mkdir(parents=True)
    program.touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotReady, match="Node.js is not installed; cdktf needs version 20"):
        program_of(tmp_path)
    (tmp_path / "node").touch(mode=0o755)
    with pytest.raises(NotReady, match=r"Terraform is not installed; the lab needs 1\.5"):
        program_of(tmp_path)
    (tmp_path / "terraform").touch(mode=0o755)
    assert program_of(tmp_path) == program
    with pytest.raises(NotReady, match=r"TERRAFORM_BINARY_NAME: there is no tofu; the lab needs 1\.5"):
        program_of(tmp_path, terraform="tofu")
    (tmp_path / "tofu").touch(mode=0o755)
    assert program_of(tmp_path, terraform="tofu") == program


TARGETS = """
[targets.lab]
profile = "LAB"
[targets.open]
[targets.host]
host = "https://other.example"
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables that name settings and profiles, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.toml").write_text(minimal_lab(TARGETS))
    (tmp_path / "profiles").write_text("[LAB]\nhost = https://lab.example\ntoken = of-profile\n")
    return {"LAB_CONFIG": str(tmp_path / "lab.toml"), "DATABRICKS_CONFIG_FILE": str(tmp_path / "profiles")}


def test_terraform_sees_the_profile_of_the_target_and_no_other_credential(told: dict[str, str]):
    other = {"DATABRICKS_HOST": "https://other.example", "DATABRICKS_TOKEN": "t", "DATABRICKS_CLIENT_SECRET": "s"}
    assert with_choice({**told, **other, "HOME": "/"}) == {**told, "HOME": "/", "DATABRICKS_CONFIG_PROFILE": "LAB"}


def test_terraform_gets_what_the_file_dotenv_adds(told: dict[str, str], tmp_path: Path):
    whole = {"DATABRICKS_HOST": "https://lab.example", "DATABRICKS_TOKEN": "t"}
    file = {**whole, "ARM_TENANT_ID": "x", "LAB_TARGET": "open"}
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in file.items()))
    assert with_choice(told) == {**told, **file}
    environ = {**told, "DATABRICKS_HOST": "https://other.example", "DATABRICKS_TOKEN": "e"}
    assert with_choice(environ) == {**environ, "ARM_TENANT_ID": "x", "LAB_TARGET": "open"}


def test_a_mix_of_target_and_environment_is_refused_before_cdktf_starts(told: dict[str, str]):
    environ = {**told, "LAB_TARGET": "host", "DATABRICKS_TOKEN": "hidden"}
    with pytest.raises(NotReady, match="Target host: host of target host names https://other.example, and ") as raised:
        with_choice({**environ, "DATABRICKS_HOST": "https://lab.example"})
    assert "hidden" not in str(raised.value)
    assert with_choice({**environ, "DATABRICKS_HOST": "other.example/"})["DATABRICKS_TOKEN"] == "hidden"


def test_settings_that_cannot_be_read_are_left_to_the_synthesis(told: dict[str, str]):
    environ = {**told, "LAB_TARGET": "moon", "DATABRICKS_TOKEN": "t"}
    assert with_choice(environ) == environ
    nothing = {**told, "LAB_TARGET": "open"}
    assert with_choice(nothing) == nothing


def test_providers_are_found_in_a_mirror_unpacked_and_zipped(tmp_path: Path):
    folder = mirror_folders(tmp_path)[0]
    assert not_mirrored([folder]) == list(PROVIDERS)
    (folder / "registry.terraform.io/databricks/databricks/1.99.0" / SUFFIX).mkdir(parents=True)
    assert not_mirrored([folder]) == ["hashicorp/external"]
    external = folder / "registry.terraform.io/hashicorp/external"
    external.mkdir(parents=True)
    (external / f"terraform-provider-external_2.3.5_{SUFFIX}.zip").touch()
    assert not_mirrored([folder]) == []


def test_a_cli_configuration_with_an_installation_of_its_own_is_trusted(tmp_path: Path):
    assert not has_own_installation({}, tmp_path)
    (tmp_path / ".terraformrc").write_text("provider_installation { direct {} }\n")
    assert has_own_installation({}, tmp_path)
    assert needs_lock_skipped({}, tmp_path, "deploy")


def test_providers_that_nobody_has_are_named():
    assert problem(["databricks/databricks"]).startswith(
        "terraform init cannot get databricks/databricks: no local mirror holds it and https://registry.terraform.io"
    )


def test_the_virtual_environment_beside_the_pipfile_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert interpreter_of(tmp_path) is None
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert interpreter_of(tmp_path) == python

"""`.env` adds what the environment lacks; its workspace variables are returned separately."""

from __future__ import annotations

from pathlib import Path

import pytest

from labkit.extras.dotenv import DotenvError, load


def test_the_file_overrides_nothing(tmp_path: Path) -> None:
    text = '\ufeffADMIN_EMAIL="a@b.example"  # who\nLAB_TERM=2030w\nEMPTY=x\nexport DATABRICKS_HOST=https://a.example\n'
    (tmp_path / ".env").write_text(text + "DATABRICKS_TOKEN=t\nALONE\n", encoding="utf-8")
    environ = {"LAB_TERM": "2026w", "EMPTY": ""}
    assert load(environ, tmp_path) == {"DATABRICKS_HOST": "https://a.example", "DATABRICKS_TOKEN": "t"}
    assert environ == {"LAB_TERM": "2026w", "EMPTY": "", "ADMIN_EMAIL": "a@b.example"}


def test_a_missing_file_has_no_variables(tmp_path: Path) -> None:
    assert load({}, tmp_path) == {}


def test_a_file_in_a_different_encoding_is_reported_with_its_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=1\nSECRET=caf\xe9\n")
    with pytest.raises(DotenvError, match=r"\.env is not UTF-8 text \(line 2\); save it as UTF-8\.") as raised:
        load({}, tmp_path)
    assert "caf" not in str(raised.value)


def test_a_folder_with_this_name_is_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(DotenvError, match=r"\.env cannot be read \(Is a directory\)"):
        load({}, tmp_path)

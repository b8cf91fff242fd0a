"""`python -m emulator routes` lists all supported requests."""

import json

from click.testing import CliRunner

from emulator.__main__ import main
from emulator.server.services import routes


def test_every_route_is_listed() -> None:
    listed = CliRunner().invoke(main, ["routes", "--json"])

    assert listed.exit_code == 0
    assert json.loads(listed.output) == [
        {"method": method, "path": path} for path, method in sorted((each.pattern, each.method) for each in routes())
    ]


def test_a_line_has_method_and_path() -> None:
    lines = CliRunner().invoke(main, ["routes"]).output.splitlines()

    assert lines[0] == "GET    /.well-known/databricks-config"
    assert "POST   /api/2.1/clusters/start" in lines

"""Metrics, alert rules and their tests through promtool, and a scrape by a real Prometheus."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from emulated_course import EmulatedCourse
from emulator_process import EmulatorProcess
from prometheus_server import PrometheusServer, promtool, require_prometheus

pytestmark = pytest.mark.process
ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy" / "prometheus-rules.yml"
LABELS = '{course="94290", term="2026w"}'


@pytest.fixture(autouse=True)
def prometheus() -> None:
    require_prometheus()


@pytest.fixture
def lab(frozen_emulator: EmulatorProcess, tmp_path: Path) -> EmulatedCourse:
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path)
    lab.environment["LAB_METRICS"] = str(tmp_path / "lab.prom")
    return lab


def test_promtool_accepts_the_metrics_without_a_warning(lab: EmulatedCourse, tmp_path: Path) -> None:
    assert lab.start("group_01") == 200
    lab.advance_minutes(181)
    lab.poll()
    written = (tmp_path / "lab.prom").read_bytes()
    printed = subprocess.run(
        [sys.executable, "-m", "enforcer", "metrics"],
        env={**os.environ, **lab.environment, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    assert printed == written
    assert promtool("check", "metrics", stdin=written) == (0, "")


def test_a_poll_is_completed_if_the_file_cannot_be_written(lab: EmulatedCourse, tmp_path: Path) -> None:
    path = tmp_path / "missing" / "lab.prom"
    lab.environment["LAB_METRICS"] = str(path)
    assert lab.start("group_01") == 200
    lab.advance_minutes(181)
    result = lab.run("poll")
    assert (result.status, lab.state("group_01")) == (1, "TERMINATED")
    assert f"LAB_METRICS: {path} cannot be written" in result.err


def test_promtool_accepts_the_rules() -> None:
    status, output = promtool("check", "rules", RULES)
    assert (status, "SUCCESS" in output) == (0, True), output


def constant(value: float) -> str:
    return f"{value}x600"


def rising(step: float) -> str:
    return f"0+{step}x600"


OVER = {
    'teaching_lab_usage_seconds{course="94290", term="2026w", group="group_01", period="day"}': constant(10_800),
    'teaching_lab_limit_seconds{course="94290", term="2026w", group="group_01", period="day", kind="hard"}': constant(
        10_800
    ),
    'teaching_lab_limit_seconds{course="94290", term="2026w", group="group_01", period="day", kind="soft"}': constant(
        9000
    ),
}
RUNNING = 'teaching_lab_running_clusters{course="94290", term="2026w", group="group_01", kind="%s"}'
TICK = "teaching_lab_last_tick_timestamp_seconds" + LABELS
FOREIGN = 'teaching_lab_oldest_foreign_cluster_timestamp_seconds{course="94290", term="2026w", kind="%s"}'
WORKS = {TICK: "0+60x1500"}

CASES: dict[str, tuple[dict[str, str], str, list[str]]] = {
    "a lab that works": (
        WORKS
        | {
            "teaching_lab_tick_failures_total" + LABELS: constant(7),
            "teaching_lab_last_tick_failures" + LABELS: "0x600",
        }
        | OVER
        | {RUNNING % "counted": constant(0), RUNNING % "uncounted": constant(1)},
        "120m",
        [],
    ),
    "no tick for 44 minutes": ({TICK: "0x600"}, "44m", []),
    "no tick for 46 minutes": ({TICK: "0x600"}, "46m", ["TeachingLabEnforcerSilent"]),
    "no metrics": ({"up": constant(1)}, "46m", ["TeachingLabMetricsMissing"]),
    "failures in every tick": (
        WORKS
        | {"teaching_lab_tick_failures_total" + LABELS: rising(1), "teaching_lab_last_tick_failures" + LABELS: "1x600"},
        "60m",
        ["TeachingLabFailuresRising"],
    ),
    "failures that are over": (
        WORKS
        | {"teaching_lab_tick_failures_total" + LABELS: rising(1), "teaching_lab_last_tick_failures" + LABELS: "0x600"},
        "60m",
        [],
    ),
    "a group at its limit whose cluster runs": (
        WORKS | OVER | {RUNNING % "counted": constant(1)},
        "21m",
        ["TeachingLabGroupOverLimit"],
    ),
    "a group at its limit that is being stopped": (WORKS | OVER | {RUNNING % "counted": constant(1)}, "19m", []),
    "a message that waits since 1970": (
        WORKS | {"teaching_lab_oldest_waiting_message_timestamp_seconds" + LABELS: constant(0)},
        "361m",
        ["TeachingLabMessagesWaiting"],
    ),
    "a time request that waits since 1970": (
        WORKS | {"teaching_lab_oldest_waiting_time_request_timestamp_seconds" + LABELS: "0x1500"},
        "1441m",
        ["TeachingLabTimeRequestWaiting"],
    ),
    "a time request that has waited for a day": (
        WORKS | {"teaching_lab_oldest_waiting_time_request_timestamp_seconds" + LABELS: "0x1500"},
        "1440m",
        [],
    ),
    "a foreign cluster that runs for more than an hour": (
        WORKS | {FOREIGN % "cluster": constant(0)},
        "61m",
        ["TeachingLabForeignClusterRunning"],
    ),
    "a foreign cluster that runs for an hour": (WORKS | {FOREIGN % "cluster": constant(0)}, "60m", []),
    "a job and another lab's cluster that run for hours": (
        WORKS | {FOREIGN % "job": constant(0), FOREIGN % "lab": constant(0)},
        "500m",
        [],
    ),
    "a message that was given up": (
        WORKS | {'teaching_lab_messages_failed_total{course="94290", term="2026w", kind="stopped"}': "0x60 1x540"},
        "90m",
        ["TeachingLabMessagesFailed"],
    ),
}


def unit_test(series: dict[str, str], at: str, expected: list[str]) -> dict[str, Any]:
    """Return a test for promtool: which alerts are firing at a time."""
    names = [line.split("alert: ")[1].strip() for line in RULES.read_text().splitlines() if "alert: " in line]
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count by (alertname) (ALERTS{{alertstate="firing", alertname="{name}"}})',
                "eval_time": at,
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1}] if name in expected else [],
            }
            for name in names
        ],
    }


@pytest.mark.parametrize("case", CASES)
def test_an_alert_fires_when_its_condition_lasts(case: str, tmp_path: Path) -> None:
    document = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [unit_test(*CASES[case])]}
    (tmp_path / "rules.test.yml").write_text(json.dumps(document), encoding="utf-8")
    status, output = promtool("test", "rules", tmp_path / "rules.test.yml")
    assert (status, "SUCCESS" in output) == (0, True), output


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder over HTTP, as the node exporter serves the file's content; yield host and port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write((folder / "lab.prom").read_bytes())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_prometheus_scrapes_the_file_and_evaluates_the_rules(lab: EmulatedCourse, tmp_path: Path) -> None:
    assert lab.start("group_01") == 200
    lab.advance_minutes(60)
    lab.poll()
    with served(tmp_path) as target, PrometheusServer(tmp_path, target, RULES) as prometheus:
        (labels, left) = prometheus.until('teaching_lab_left_seconds{group="group_01"}')[0]
        assert (labels["course"], labels["term"], labels["period"], round(left)) == ("94290", "2030w", "day", 7200)
        assert prometheus.until("sum(teaching_lab_running_clusters)") == [({}, 1)]
        rules = prometheus.get("rules")["groups"][0]["rules"]
        assert {rule["health"] for rule in rules} <= {"ok", "unknown"}
        assert all(not rule.get("lastError") for rule in rules)
        metadata = prometheus.get("metadata")
        assert metadata["teaching_lab_actions_total"][0]["type"] == "counter"
        assert metadata["teaching_lab_left_seconds"][0]["type"] == "gauge"

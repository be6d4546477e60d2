"""Alerts, their tests, their runbook and the dashboard belong together."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from test_metrics import documented

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "helm/chatbridge/files"
METRIC = re.compile(r"\b(?:chatbridge|rpc|http|db|process)_[a-z0-9_]+\b")


def read(name: str) -> Any:
    return yaml.safe_load((FILES / name).read_text())


def rules() -> list[dict[str, Any]]:
    return [rule for group in read("alerts.yaml")["groups"] for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}


def queries() -> list[str]:
    """The queries of the dashboard."""
    panels = json.loads((FILES / "dashboard.json").read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def of(alert: str) -> list[dict[str, Any]]:
    """The tests that are named after an alert."""
    return [test for test in read("alerts_test.yaml")["tests"] if test["name"].split(":")[0] == alert]


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_says_what_is_wrong_and_where_it_is_told_what_to_do(alert: str) -> None:
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{alert.lower()}"


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_is_seen_firing_and_silent(alert: str) -> None:
    expressions = [case for test in of(alert) for case in test["promql_expr_test"]]
    firing = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
    fires = [case for case in expressions if case["expr"] == firing and case["exp_samples"]]
    assert fires, "no test sees it fire"
    assert any(case["expr"] == firing and not case["exp_samples"] for case in expressions), "no test sees it wait"
    # What is silent must have something to be silent about.
    silent = [case for case in expressions if 'job="well"' in case["expr"] and not case["exp_samples"]]
    has_well = any('job="well"' in series["series"] for test in of(alert) for series in test["input_series"])
    assert has_well
    assert silent or alert == "ChatbridgeAbsent"


def test_each_alert_has_its_place_in_the_runbook_and_nothing_else_has() -> None:
    headings = re.findall(r"^### (Chatbridge\w+)$", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    assert headings == list(ALERTS)


def test_each_place_in_the_runbook_answers_the_same_questions() -> None:
    parts = re.split(r"^### (Chatbridge\w+)$", (ROOT / "docs/operations.md").read_text(), flags=re.MULTILINE)
    for alert, text in zip(parts[1::2], parts[2::2], strict=True):
        asked = re.findall(r"^- \*\*(.+?)\*\*", text.split("\n## ")[0], re.MULTILINE)
        assert asked == ["Means:", "Felt:", "Look:", "Do:", "Over:"], alert


def test_alerts_and_dashboard_ask_for_metrics_that_there_are() -> None:
    known = documented()
    suffixes = {"counter": [""], "gauge": [""], "histogram": ["_bucket", "_count", "_sum"]}
    samples = {name + suffix for name, family in known.items() for suffix in suffixes[family.type]}
    for query in [*queries(), *(rule["expr"] for rule in rules())]:
        without_labels = re.sub(r"\{[^}]*\}|by \([^)]*\)|on \([^)]*\)|job:[a-z0-9_:]+", "", query)
        assert set(METRIC.findall(without_labels)) <= samples, query


def test_the_dashboard_is_what_its_program_writes() -> None:
    program = ROOT / "scripts/monitoring/dashboard.py"
    subprocess.run([sys.executable, program, "--check"], check=True)

"""Holds the chart to what it carries: `carried.py HELM`.

Alerts and dashboard must reach the cluster as they are in files/, whatever is between braces in them, and an
alert that is turned off must be missing, alone.
"""

import json
import sys
from typing import Any

import yaml
from rendered import CHART, Object, of_kind, render


def enabled(**rule: Any) -> dict[str, Any]:
    """The values that turn everything on."""
    return {"metrics": {"prometheusRule": {"enabled": True, **rule}, "dashboard": {"enabled": True}}}


def alerts(groups: list[Object]) -> list[str]:
    """The names of the alerts in groups of rules."""
    return [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]


def rendered_groups(helm: str, values: dict[str, Any]) -> list[Object]:
    """The groups of the PrometheusRule."""
    groups: list[Object] = of_kind(render(helm, "minimal", values), "PrometheusRule")[0]["spec"]["groups"]
    return groups


def main(helm: str) -> None:
    """Compares, and stops with what differs."""
    groups = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())["groups"]
    if rendered_groups(helm, enabled()) != groups:
        sys.exit("error: the PrometheusRule does not have the groups of files/alerts.yaml")
    names = alerts(groups)
    if not names:
        sys.exit("error: files/alerts.yaml has no alert")
    for name in {names[0], names[-1]}:
        left = alerts(rendered_groups(helm, enabled(disabled=[name])))
        if left != [other for other in names if other != name]:
            sys.exit(f"error: with {name} turned off, these alerts are left: {left}")
    base = "https://git.example.com/chatbridge/blob/main/"
    for rule in [rule for group in groups for rule in group["rules"] if "alert" in rule]:
        rule["annotations"]["runbook_url"] = base + rule["annotations"]["runbook_url"]
    if rendered_groups(helm, enabled(runbookBase=base)) != groups:
        sys.exit("error: with a runbookBase, more or less differs than the alerts' runbook_url")
    wanted = json.loads((CHART / "files" / "dashboard.json").read_text())
    maps = of_kind(render(helm, "minimal", enabled()), "ConfigMap")
    texts = [one["data"]["chatbridge.json"] for one in maps if "chatbridge.json" in one["data"]]
    if [json.loads(text) for text in texts] != [wanted]:
        sys.exit("error: the ConfigMap does not have the dashboard of files/dashboard.json")
    print(f"{len(names)} alerts and the dashboard are as they were written")


if __name__ == "__main__":
    main(*sys.argv[1:])

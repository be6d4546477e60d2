"""Holds the chart to what it knows of the service: which settings change while it runs, its services, a metric."""

import re
import sys

from rendered import CHART, ROOT
from schema import OWN


def quoted(pattern: str, text: str) -> set[str]:
    """The texts between quotes in what a pattern finds."""
    found = re.search(pattern, text, re.DOTALL)
    return set(re.findall(r'"([^"]+)"', found[1])) if found else set()


def main() -> None:
    """Compares, and stops with what differs."""
    settings = (ROOT / "src" / "config" / "settings.rs").read_text()
    template = (CHART / "templates" / "_config.tpl").read_text()
    reloaded = quoted(r"RELOADED: \[&str; \d+\] = \[(.*?)\];", settings)
    # The chart has values of its own for some, or none, and they are never among those of the start.
    reloaded -= OWN
    known = quoted(r'define "chatbridge\.reloadedNames" -\}\}(.*?)\| toJson', template)
    if not reloaded or reloaded != known:
        sys.exit(f"error: templates/_config.tpl: these change while the service runs, or do not: {reloaded ^ known}")
    contract = "\n".join(path.read_text() for path in (ROOT / "proto" / "chatbridge" / "v1").glob("*.proto"))
    services = {f"chatbridge.v1.{name}" for name in re.findall(r"^service (\w+) \{", contract, re.MULTILINE)}
    routes = quoted(r"\$services := list(.*?)\}\}", (CHART / "templates" / "routes.yaml").read_text())
    if routes != services | {"grpc.health.v1.Health"}:
        sys.exit(f"error: templates/routes.yaml: these services are routed, or there, alone: {routes ^ services}")
    metric = "chatbridge_streams_active"
    if f"| `{metric}` |" not in (ROOT / "docs" / "metrics.md").read_text():
        sys.exit(f"error: there is no {metric} to scale by")
    print(f"{len(known)} settings that change while it runs, {len(services)} services, and the metric to scale by")


if __name__ == "__main__":
    main()

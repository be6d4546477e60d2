"""Writes helm/chatbridge/files/dashboard.json; with `--check` it only says whether the file is what it would write.

A dashboard for Grafana that answers an operator's questions in the order in which they are asked.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[2] / "helm/chatbridge/files/dashboard.json"
# Grafana's grid.
COLUMNS = 24
HEIGHT = 7
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
JOB = 'job=~"$job"'
# The values of `job` are those of chatbridge_build_info, which leaves other services out that show the same metrics.
RATE = "[$__rate_interval]"


@dataclass(frozen=True)
class Panel:
    """A panel: what it asks, the queries with their legends, and how it shows the answer."""

    title: str
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    description: str = ""


def rate(metric: str, by: str, labels: str = "") -> str:
    """How often a second, by these labels."""
    return f"sum by ({by}) (rate({metric}{{{_with_job(labels)}}}{RATE}))"


def quantile(q: float, metric: str, labels: str = "", by: str = "") -> str:
    """A quantile of a histogram."""
    group = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, sum by ({group}) (rate({metric}_bucket{{{_with_job(labels)}}}{RATE})))"


def quantiles(metric: str, labels: str = "") -> list[tuple[str, str]]:
    """What half, 95 and 99 of a hundred stay below."""
    return [(quantile(q, metric, labels), name) for q, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))]


def gauge(metric: str, how: str, by: str = "", labels: str = "") -> str:
    """A gauge of all replicas."""
    group = f" by ({by})" if by else ""
    return f"{how}{group} ({metric}{{{_with_job(labels)}}})"


def _with_job(labels: str) -> str:
    return f"{JOB},{labels}" if labels else JOB


REFUSED = 'result!~"accepted|duplicate|verify"'
OUR_FAULT = 'rpc_response_status_code=~"UNKNOWN|INTERNAL|UNAVAILABLE|DATA_LOSS"'
WAIT, ENDS = "chatbridge_session_queue_wait_seconds", "chatbridge_session_ends_total"

ROWS: Sequence[tuple[str, Sequence[Panel]]] = (
    (
        "Is it well?",
        (
            Panel("Replicas", [(gauge("chatbridge_build_info", "count"), "")], kind="stat", width=4),
            Panel("Open streams", [(gauge("chatbridge_streams_active", "sum"), "")], kind="stat", width=4),
            Panel("Redis answers every replica", [(gauge("chatbridge_store_up", "min"), "")], kind="stat", width=4),
            Panel(
                "Tenants whose vendor is left alone",
                [(gauge("chatbridge_upstream_circuit_open", "max"), "")],
                kind="stat",
                width=4,
            ),
            Panel(
                "Stalled subscriptions",
                [(gauge("chatbridge_subscriptions", "max", labels='state="stalled"'), "")],
                kind="stat",
                width=4,
            ),
            Panel(
                "Gaps told, 1 h", [(f"sum(increase(chatbridge_gaps_total{{{JOB}}}[1h]))", "")], kind="stat", width=4
            ),
        ),
    ),
    (
        "Are webhooks refused?",
        (
            Panel(
                "Webhooks by result",
                [
                    (
                        rate("chatbridge_webhooks_total", "result", 'result=~"accepted|duplicate|forged|verify"'),
                        "{{result}}",
                    )
                ],
                "reqps",
            ),
            Panel(
                "Webhooks refused, by reason",
                [(rate("chatbridge_webhooks_total", "result", REFUSED), "{{result}}")],
                "reqps",
            ),
            Panel(
                "Signing keys asked for",
                [(rate("chatbridge_webhook_key_fetches_total", "result"), "{{result}}")],
                "reqps",
            ),
        ),
    ),
    (
        "Are events late?",
        (
            Panel("Age when logged, since it occurred at 8x8", quantiles("chatbridge_event_append_age_seconds"), "s"),
            Panel(
                "Age when a stream takes it up, live feed",
                quantiles("chatbridge_event_delivery_age_seconds", 'feed="live"'),
                "s",
            ),
            Panel(
                "Events taken up by streams",
                [(rate("chatbridge_event_delivery_age_seconds_count", "feed"), "{{feed}}")],
                "ops",
                description="From the live feed, or from the log by streams that catch up.",
            ),
        ),
    ),
    (
        "Are subscribers behind?",
        (
            Panel("Open streams", [(gauge("chatbridge_streams_active", "sum", "instance"), "{{instance}}")]),
            Panel(
                "Streams that read the log",
                [(gauge("chatbridge_subscribers_behind", "sum", "instance"), "{{instance}}")],
            ),
            Panel(
                "Events that the slowest is behind",
                [(gauge("chatbridge_subscriber_lag_max", "max", "instance"), "{{instance}}")],
            ),
            Panel(
                "Streams ended, by reason", [(rate("chatbridge_stream_endings_total", "reason"), "{{reason}}")], "ops"
            ),
            Panel(
                "Detached from the feed, and breaks of it",
                [
                    (rate("chatbridge_subscribers_detached_total", "job"), "detached"),
                    (rate("chatbridge_feed_breaks_total", "job"), "breaks"),
                ],
                "ops",
            ),
            Panel(
                "Named subscriptions: events behind",
                [
                    (gauge("chatbridge_subscription_lag_max", "max"), "furthest behind"),
                    (gauge("chatbridge_subscriptions", "max", "state"), "{{state}}"),
                ],
            ),
        ),
    ),
    (
        "Is 8x8 failing?",
        (
            Panel(
                "Requests by outcome",
                [(rate("chatbridge_upstream_requests_total", "outcome"), "{{outcome}}")],
                "reqps",
            ),
            Panel(
                "Slowest one in twenty, by operation",
                [(quantile(0.95, "http_client_request_duration_seconds", by="operation"), "{{operation}}")],
                "s",
            ),
            Panel(
                "Repeated, and turned away before a request",
                [
                    (rate("chatbridge_upstream_retries_total", "operation"), "{{operation}} again"),
                    (rate("chatbridge_upstream_withheld_total", "reason"), "{{reason}}"),
                ],
                "reqps",
                description="Empty where nothing ever was.",
            ),
        ),
    ),
    (
        "Is Redis at risk?",
        (
            Panel(
                "Time to log an event",
                quantiles("db_client_operation_duration_seconds", 'db_operation_name="append"'),
                "s",
            ),
            Panel(
                "Memory of the fullest master",
                [
                    (gauge("chatbridge_redis_memory_used_bytes", "max"), "used"),
                    (gauge("chatbridge_redis_memory_max_bytes", "max"), "limit (0: none)"),
                ],
                "bytes",
            ),
            Panel(
                "Replicas, eviction, persistence, clock",
                [
                    (gauge("chatbridge_redis_replicas_connected", "min"), "replicas"),
                    (gauge("chatbridge_redis_noeviction", "min"), "noeviction"),
                    (gauge("chatbridge_redis_persistence_failing", "max"), "persistence failing"),
                    (f"max(abs(chatbridge_redis_clock_offset_seconds{{{JOB}}}))", "clock off by seconds"),
                ],
            ),
        ),
    ),
    (
        "Do calls work?",
        (
            Panel(
                "Calls by method",
                [(rate("rpc_server_call_duration_seconds_count", "rpc_method"), "{{rpc_method}}")],
                "reqps",
            ),
            Panel(
                "Calls that ended, by status",
                [
                    (
                        rate("rpc_server_call_duration_seconds_count", "rpc_response_status_code"),
                        "{{rpc_response_status_code}}",
                    )
                ],
                "reqps",
            ),
            Panel(
                "Slowest one in twenty, by method",
                [
                    (
                        quantile(
                            0.95,
                            "rpc_server_call_duration_seconds",
                            'rpc_method!="chatbridge.v1.AgentEventService/AgentEvents"',
                            "rpc_method",
                        ),
                        "{{rpc_method}}",
                    )
                ],
                "s",
            ),
            Panel(
                "Turned away, by reason", [(rate("chatbridge_calls_denied_total", "reason"), "{{reason}}")], "reqps"
            ),
            Panel(
                "Limits reached",
                [
                    (rate("chatbridge_streams_refused_total", "limit"), "streams, {{limit}}"),
                    (rate("chatbridge_connections_refused_total", "limit"), "connections, {{limit}}"),
                ],
                "ops",
            ),
            Panel(
                "Failed for reasons that are not the caller's",
                [
                    (
                        f"sum(rate(rpc_server_call_duration_seconds_count{{{JOB},{OUR_FAULT}}}{RATE})) or vector(0)",
                        "failed",
                    )
                ],
                "reqps",
            ),
        ),
    ),
    (
        "What do customers wait?",
        (
            Panel("Wait in the queue until an agent came", quantiles(WAIT, 'outcome="answered"'), "s"),
            Panel("First response", quantiles("chatbridge_session_first_response_seconds"), "s"),
            Panel("Handling", quantiles("chatbridge_session_handling_seconds"), "s"),
            Panel(
                "Answered within 20 s, 1 h",
                [(f"avg(job:chatbridge_session_answered_within_20s:ratio_rate1h{{{JOB}}})", "")],
                "percentunit",
                "stat",
            ),
            Panel(
                "Abandoned, 1 h",
                [(f"avg(job:chatbridge_session_abandoned:ratio_rate1h{{{JOB}}})", "")],
                "percentunit",
                "stat",
            ),
            Panel("Contacts that ended", [(rate(ENDS, "outcome"), "{{outcome}}")], "ops"),
        ),
    ),
    (
        "Do old clients hear of events? (Chat API v2)",
        (
            Panel(
                "Requests by status", [(rate("chatbridge_chat_v2_requests_total", "status"), "{{status}}")], "reqps"
            ),
            Panel(
                "Events for webhooks, by what became of them",
                [(rate("chatbridge_chat_v2_events_total", "result"), "{{result}}")],
                "ops",
            ),
            Panel(
                "Attempts to deliver, by result",
                [(rate("chatbridge_chat_v2_deliveries_total", "result"), "{{result}}")],
                "reqps",
            ),
            Panel(
                "Age when delivered, since it was logged", quantiles("chatbridge_chat_v2_delivery_age_seconds"), "s"
            ),
            Panel(
                "Events that wait, and webhooks that fail",
                [
                    (gauge("chatbridge_chat_v2_waiting", "max"), "events that wait"),
                    (gauge("chatbridge_chat_v2_webhooks_failing", "max"), "webhooks that fail"),
                    (gauge("chatbridge_chat_v2_failing_seconds", "max"), "seconds for which one has failed"),
                ],
                description="Every replica reports the same.",
            ),
            Panel(
                "Dead letters, 1 h",
                [(f"sum by (reason) (increase(chatbridge_chat_v2_dead_letters_total{{{JOB}}}[1h]))", "{{reason}}")],
            ),
        ),
    ),
    (
        "What runs?",
        (
            Panel("Processor", [(rate("process_cpu_seconds_total", "instance"), "{{instance}}")], "percentunit"),
            Panel("Memory", [(gauge("process_resident_memory_bytes", "sum", "instance"), "{{instance}}")], "bytes"),
            Panel(
                "Open files, of those allowed",
                [(f"max by (instance) (process_open_fds{{{JOB}}} / process_max_fds{{{JOB}}})", "{{instance}}")],
                "percentunit",
            ),
            Panel(
                "Version",
                [
                    (
                        gauge("chatbridge_build_info", "count", "version, revision, rustc"),
                        "{{version}} {{revision}} rustc {{rustc}}",
                    )
                ],
            ),
            Panel(
                "Certificates: time left",
                [(f"min by (port) (chatbridge_tls_certificate_expiry_seconds{{{JOB}}} - time())", "{{port}}")],
                "s",
            ),
            Panel("Stopping", [(gauge("chatbridge_draining", "max", "instance"), "{{instance}}")]),
        ),
    ),
)


def panels() -> Iterator[dict[str, Any]]:
    """All panels, laid out row by row."""
    number, y = 0, 0
    for title, row in ROWS:
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": title,
            "collapsed": False,
            "gridPos": _place(0, y, COLUMNS, 1),
            "panels": [],
        }
        x, y = 0, y + 1
        for panel in row:
            number += 1
            height = 4 if panel.kind == "stat" and panel.width < 8 else HEIGHT
            if x + panel.width > COLUMNS:
                x, y = 0, y + height
            yield {"id": number, "gridPos": _place(x, y, panel.width, height), **_shown(panel)}
            x += panel.width
        y += height


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def _shown(panel: Panel) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + n), "datasource": DATASOURCE, "expr": query, "legendFormat": legend}
        for n, (query, legend) in enumerate(panel.queries)
    ]
    shown: dict[str, Any] = {
        "type": panel.kind,
        "title": panel.title,
        "datasource": DATASOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": targets,
    }
    if panel.description:
        shown["description"] = panel.description
    if panel.kind == "stat":
        shown["options"] = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "none", "graphMode": "none"}
    return shown


def dashboard() -> dict[str, Any]:
    """The whole dashboard, as Grafana imports it."""
    job = {
        "name": "job",
        "label": "Job",
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": "label_values(chatbridge_build_info, job)", "refId": "job"},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "current": {"text": "All", "value": "$__all"},
    }
    datasource = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}
    return {
        "uid": "chatbridge",
        "title": "Chatbridge",
        "tags": ["chatbridge"],
        "schemaVersion": 41,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "",
        "templating": {"list": [datasource, job]},
        "annotations": {"list": []},
        "panels": list(panels()),
    }


def main() -> None:
    """Writes the file, or compares it."""
    text = json.dumps(dashboard(), indent=1) + "\n"
    if sys.argv[1:] == ["--check"]:
        if not FILE.is_file() or FILE.read_text() != text:
            sys.exit(f"{FILE.name} is not what scripts/monitoring/dashboard.py writes; run it")
    else:
        FILE.write_text(text)


if __name__ == "__main__":
    main()

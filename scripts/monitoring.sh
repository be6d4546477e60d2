#!/usr/bin/env bash
# Alerts, their tests and the dashboard, against a real Prometheus. Needs tools.sh and tools.sh monitoring to have run, and a built
# service: CHATBRIDGE_BIN, or what cargo leaves.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"
exec </dev/null

promtool="$TOOLS/bin/promtool"
[ -x "$promtool" ] || stop "$promtool is not there; run: scripts/tools.sh monitoring"

section "Alerts: promtool"
"$promtool" check rules --lint=all --lint-fatal helm/chatbridge/files/alerts.yaml
"$promtool" test rules helm/chatbridge/files/alerts_test.yaml

section "Alerts, runbook and dashboard: what belongs together"
(cd tests/python && "$PYTHON" -m pytest -q test_alerts.py)

section "Alerts and dashboard against a real Prometheus"
export CHATBRIDGE_BIN="${CHATBRIDGE_BIN:-$(service_binary)}" PROMETHEUS_BIN="$TOOLS/bin/prometheus"
[ -x "$CHATBRIDGE_BIN" ] || build_service
(cd tests/monitoring && second_chance "$PYTHON" -m pytest -q)

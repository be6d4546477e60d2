#!/usr/bin/env bash
# Builds the service and each client's driver, then runs the scenarios; arguments are those of tests/scenarios/run.py.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

build_service
clients build
export CHATBRIDGE_BIN="${CHATBRIDGE_BIN:-$(service_binary)}"
exec "$PYTHON" tests/scenarios/run.py "$@"

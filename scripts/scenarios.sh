#!/usr/bin/env bash
# Builds the service and each client's driver, then runs the scenarios; arguments are those of tests/scenarios/run.py.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

# The tests have built it, with more features than it has by itself: so they are built, too, or everything would be compiled
# twice.
cargo test --workspace --locked --quiet --no-run
clients build
export CHATBRIDGE_BIN="${CHATBRIDGE_BIN:-$(service_binary)}"
exec "$PYTHON" tests/scenarios/run.py "$@"

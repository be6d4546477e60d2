#!/usr/bin/env bash
# Lint, then every test. Needs tools.sh to have run; takes nothing from standard input.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"
exec </dev/null

scripts/lint.sh

section "Rust: tests"
cargo test --workspace --locked --quiet

section "Fuzzing: a short run of each target"
scripts/fuzz.sh short

section "Python client: tests"
(cd "$CLIENT" && "$PYTHON" -m pytest)

section "Python against the built binary: tests"
# The integration tests have built it, since they start it. Building it by itself would compile everything again, because
# without the tests' dependencies some crates have fewer features.
CHATBRIDGE_BIN="$(cd "${CARGO_TARGET_DIR:-target}" && pwd)/debug/chatbridge"
[ -x "$CHATBRIDGE_BIN" ] || stop "cargo test did not build $CHATBRIDGE_BIN"
export CHATBRIDGE_BIN
(cd tests/python && "$PYTHON" -m pytest)

section "All passed"

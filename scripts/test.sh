#!/usr/bin/env bash
# Lint, then every test. Needs tools.sh to have run; takes nothing from standard input.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"
exec </dev/null

scripts/lint.sh

section "Rust: tests"
"$PYTHON" scripts/cargo_test.py --workspace

section "Fuzzing: a short run of each target"
scripts/fuzz.sh short

section "Clients: their own tests"
for language in "${CLIENTS[@]}"; do
    second_chance "scripts/clients/$language.sh" test
done

section "Python against the built binary: tests"
CHATBRIDGE_BIN="$(service_binary)"
[ -x "$CHATBRIDGE_BIN" ] || stop "cargo test did not build $CHATBRIDGE_BIN"
export CHATBRIDGE_BIN
(cd tests/python && second_chance "$PYTHON" -m pytest)

section "Scenarios: the tests of what judges"
(cd tests/scenarios && "$PYTHON" -m pytest)

section "Clients: scenarios in every language"
clients build
"$PYTHON" tests/scenarios/run.py --second-chance

section "The sandbox's pages, in a browser"
second_chance scripts/browser.sh test

section "Clients: examples"
second_chance "$PYTHON" tests/scenarios/run.py --examples

second_chance scripts/packages.sh

section "All passed"

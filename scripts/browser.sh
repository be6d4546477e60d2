#!/usr/bin/env bash
# The sandbox's pages in a real Chromium: two agents at their desks and a customer in the widget, with a bot of the Python client.
#
#   browser.sh lint                 format, lints and types of these tests, and lints of the pages
#   browser.sh test [FILE...]       the tests, or some: tests/browser/widget.test.js
#   browser.sh pictures             draws the pictures in docs/images anew
#
# Tools are those of the TypeScript client, and Chromium, which its script installs. The service is built, unless CHATBRIDGE_BIN
# names one.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

BIN="$ROOT/clients/typescript/node_modules/.bin"

lint() {
    # The driver, which starts Chromium: its types are wanted.
    "$BIN/tsc" -b clients/typescript/driver
    "$BIN/prettier" --config clients/typescript/.prettierrc.json --check --log-level=warn tests/browser
    "$BIN/tsc" -p tests/browser
    "$BIN/eslint" --config tests/browser/eslint.config.js --max-warnings 0 tests/browser src/sandbox/pages
    "$PYTHON" -m mypy --config-file clients/python/pyproject.toml tests/browser/bot.py
}

# One file after the other: each has a service and a browser of its own.
run() {
    [ -n "${CHATBRIDGE_BIN:-}" ] || build_service
    export CHATBRIDGE_BIN="${CHATBRIDGE_BIN:-$(service_binary)}" CHATBRIDGE_PYTHON="$PYTHON"
    [ -x "$CHATBRIDGE_BIN" ] || stop "$CHATBRIDGE_BIN is not there"
    "$BIN/tsc" -b clients/typescript/driver
    node --test --test-concurrency=1 "$@"
}

case "${1:-}" in
lint) lint ;;
test)
    shift
    [ $# -gt 0 ] || set -- tests/browser/*.test.js
    run "$@"
    ;;
pictures) CHATBRIDGE_PICTURES="$ROOT/docs/images" run tests/browser/looks.test.js ;;
*) stop "usage: browser.sh lint | test [FILE...] | pictures" ;;
esac

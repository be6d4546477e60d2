#!/usr/bin/env bash
# Every check that runs nothing of the project. Needs tools.sh to have run.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

# Paths of somebody's home, or of this checkout, in a file that others get.
host_paths() {
    local pattern='/(root|home/[A-Za-z0-9._-]+|Users/[A-Za-z0-9._-]+)/'
    # Only a deeper path is telling: a checkout right below / shares its name with too much.
    case "$ROOT" in
    /*/*) pattern="$pattern|$(printf '%s' "$ROOT" | sed 's/[][\.*^$+?(){}|]/\\&/g')/" ;;
    esac
    if git grep -nIE "$pattern" -- . ':!*.lock'; then
        stop "the lines above name paths of a machine"
    fi
}

section "Rust: format"
cargo fmt --all --check

section "Rust: clippy"
cargo clippy --workspace --all-targets --locked --quiet -- -D warnings

section "Dependencies: cargo-deny"
scripts/deny.sh

section "Contract: buf"
"$VENV/bin/buf" lint
# Nobody builds against these, so they need no directory for their package.
(cd tests/scenarios && "$VENV/bin/buf" lint \
    --config '{"version":"v2","lint":{"use":["STANDARD","COMMENTS"],"except":["DIRECTORY_SAME_PACKAGE","PACKAGE_DIRECTORY_MATCH"]}}')
scripts/contract.sh breaking

section "Python: ruff"
"$PYTHON" -m ruff format --check scripts tests
"$PYTHON" -m ruff check scripts tests

section "Python: mypy"
"$PYTHON" -m mypy --config-file clients/python/pyproject.toml tests/python scripts
"$PYTHON" -m mypy --config-file clients/python/pyproject.toml tests/scenarios

section "Clients: format, lints, types"
clients lint
"$PYTHON" scripts/versions.py

section "The sandbox's pages and their tests: format, lints, types"
scripts/browser.sh lint

section "Generated code is fresh"
scripts/generate.sh --check
"$PYTHON" scripts/chart/generate.py --check

section "No paths of a machine"
if git rev-parse --git-dir >/dev/null 2>&1; then
    host_paths
else
    echo "not a git checkout: nothing to look through"
fi

#!/usr/bin/env bash
# Holds the dependencies against deny.toml: licences, bans, sources; what is known against them where somebody has it.
#
#   deny.sh                    advisories only where ADVISORY_DB names a clone of RustSec's advisory database
#   deny.sh --fetch            advisories with the database as RustSec publishes it, which takes access to its repository
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

# deny CONFIGURATION CHECK...: an exception in the configuration that nothing needs any more is a finding as well.
deny() {
    local config="$1"
    shift
    PATH="$VENV/bin:$PATH" cargo deny --workspace --locked --config "$config" check \
        -D unmatched-skip -D unnecessary-skip -D advisory-not-detected "$@"
}

# with_database DIRECTORY: with the branch `main` of that clone. cargo-deny fetches from an address that has a domain, so it is
# told one, and git is told what stands for it.
with_database() {
    local address="https://advisory-db.invalid/advisory-db"
    git -C "$1" rev-parse --quiet --verify main >/dev/null ||
        stop "ADVISORY_DB=$1 is no git repository with a branch main; clone RustSec's advisory-db"
    scratch="$(mktemp -d)"
    trap 'rm -rf "$scratch"' EXIT
    # The table of advisories is the last one.
    {
        cat deny.toml
        printf 'db-path = "%s/databases"\ndb-urls = ["%s"]\n' "$scratch" "$address"
    } >"$scratch/deny.toml"
    GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.file://$(cd "$1" && pwd).insteadOf" GIT_CONFIG_VALUE_0="$address" \
        deny "$scratch/deny.toml" advisories
}

deny deny.toml bans licenses sources

case "${1:-}" in
--fetch)
    deny deny.toml advisories
    ;;
"")
    if [ -n "${ADVISORY_DB:-}" ]; then
        with_database "$ADVISORY_DB"
    else
        echo "advisories not looked at: ADVISORY_DB names no clone of the database"
    fi
    ;;
*)
    stop "usage: deny.sh [--fetch]"
    ;;
esac

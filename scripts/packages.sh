#!/usr/bin/env bash
# Builds the clients' packages and the contract for other languages into target/packages, and tries each package in an empty
# project against a service.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

export CHATBRIDGE_BIN="${CHATBRIDGE_BIN:-$(service_binary)}"
[ -x "$CHATBRIDGE_BIN" ] || build_service
rm -rf target/packages
section "The contract for other languages"
scripts/contract.sh export target/packages/contract
for language in "${CLIENTS[@]}"; do
    section "Package: $language"
    "scripts/clients/$language.sh" package
done
section "Packages"
find target/packages -type f -size +0 | LC_ALL=C sort

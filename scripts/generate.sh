#!/usr/bin/env bash
# Generates the clients' code from proto/, and what the scenarios and their drivers speak from tests/scenarios.
#
#   generate.sh           writes it
#   generate.sh --check   writes nothing and fails where what is committed is not what would be generated
set -euo pipefail
source "$(dirname "$0")/lib.sh"

case "${1:-}" in
"" | --check) ;;
*) stop "usage: generate.sh [--check]" ;;
esac

clients generate "$@"
tests/scenarios/generate.sh "$@"

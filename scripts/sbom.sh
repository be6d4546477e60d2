#!/usr/bin/env bash
# Writes the software bill of materials of the binary, as CycloneDX 1.5 JSON, to the file named or target/chatbridge.cdx.json.
# The same commit gives the same file. What it does not cover: docs/security.md, "Supply chain".
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

out="${1:-target/chatbridge.cdx.json}"
name=".sbom-$$"
scratch="$(mktemp -d)"
# It is written beside each manifest of the workspace, and only there.
trap 'rm -rf "$scratch" "$name.json" {bench,fuzz,clients/rust,clients/rust/generate}/"$name.json"' EXIT

section "Dependencies of the binary, by cargo-cyclonedx"
SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}" \
    "$TOOLS/bin/cargo-cyclonedx" cyclonedx --quiet --format json --spec-version 1.5 --override-filename "$name"
cargo tree --locked --package chatbridge --edges normal,build --prefix none --no-dedupe --format '{p}' >"$scratch/tree"

section "Against what cargo builds, and the schema"
mkdir -p "$(dirname "$out")"
"$PYTHON" scripts/sbom.py "$name.json" "$scratch/tree" Cargo.lock >"$scratch/sbom.json"
mv "$scratch/sbom.json" "$out"
echo "$out"

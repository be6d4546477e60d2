#!/usr/bin/env bash
# Generates the clients' code from proto/.
#
#   generate.sh           writes it into the clients
#   generate.sh --check   writes nothing and fails where what is committed is not what would be generated
set -euo pipefail
source "$(dirname "$0")/lib.sh"

# python_client DIRECTORY: writes the Python package chatbridge.v1 below DIRECTORY.
python_client() {
    local out="$1" scratch="$2" proto protos=()
    while IFS= read -r proto; do
        protos+=("$proto")
    done < <(cd "$ROOT/proto" && find chatbridge -name '*.proto' | LC_ALL=C sort)
    "$PYTHON" -m grpc_tools.protoc \
        --proto_path="$ROOT/proto" \
        --plugin=protoc-gen-mypy="$VENV/bin/protoc-gen-mypy" \
        --plugin=protoc-gen-mypy_grpc="$VENV/bin/protoc-gen-mypy_grpc" \
        --python_out="$out" --mypy_out=quiet:"$out" \
        --grpc_python_out="$out" --mypy_grpc_out=quiet:"$out" \
        --descriptor_set_out="$scratch/contract.bin" \
        "${protos[@]}"
    "$PYTHON" "$CLIENT/tools/exports.py" "$scratch/contract.bin" >"$out/chatbridge/v1/__init__.py"
}

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

case "${1:-}" in
--check)
    mkdir "$scratch/python"
    python_client "$scratch/python" "$scratch"
    diff -r --brief --exclude=__pycache__ "$scratch/python/chatbridge/v1" "$CLIENT/src/chatbridge/v1" ||
        stop "clients/python is not what proto/ generates; run: make generate"
    ;;
"")
    rm -rf "$CLIENT/src/chatbridge/v1"
    python_client "$CLIENT/src" "$scratch"
    ;;
*)
    stop "usage: generate.sh [--check]"
    ;;
esac

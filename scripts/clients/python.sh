#!/usr/bin/env bash
# The Python client: what it is made of, checked with, tested by and packed into.
#
#   python.sh tools                 says what is missing; the tools are the project's own, in .tools/venv (scripts/tools.sh)
#   python.sh generate [--check]    writes the stubs of the contract and of the driver's protocol, or compares them
#   python.sh lint                  format, lints, types
#   python.sh test                  the library's own tests
#   python.sh build                 what driver and examples need to run
#   python.sh driver [--sync]       the driver for tests/scenarios; --sync uses the synchronous client
set -euo pipefail
source "$(dirname "$0")/../lib.sh"

DRIVER="$CLIENT/driver"
# The checkout's own library, whatever is installed.
export PYTHONPATH="$CLIENT/src"

# generate_into PACKAGES DRIVER: writes chatbridge.v1 below one directory, and the driver's protocol into the other.
generate_into() {
    local packages="$1" driver="$2" proto protos=()
    while IFS= read -r proto; do
        protos+=("$proto")
    done < <(cd "$ROOT/proto" && find chatbridge -name '*.proto' | LC_ALL=C sort)
    "$PYTHON" -m grpc_tools.protoc \
        --proto_path="$ROOT/proto" \
        --plugin=protoc-gen-mypy="$VENV/bin/protoc-gen-mypy" \
        --plugin=protoc-gen-mypy_grpc="$VENV/bin/protoc-gen-mypy_grpc" \
        --python_out="$packages" --mypy_out=quiet:"$packages" \
        --grpc_python_out="$packages" --mypy_grpc_out=quiet:"$packages" \
        --descriptor_set_out="$scratch/contract.bin" \
        "${protos[@]}"
    "$PYTHON" "$CLIENT/tools/exports.py" "$scratch/contract.bin" >"$packages/chatbridge/v1/__init__.py"
    "$PYTHON" -m grpc_tools.protoc \
        --proto_path="$ROOT/tests/scenarios" \
        --plugin=protoc-gen-mypy="$VENV/bin/protoc-gen-mypy" \
        --python_out="$driver" --mypy_out=quiet:"$driver" \
        driver.proto
}

generate() {
    scratch="$(mktemp -d)"
    trap 'rm -rf "$scratch"' EXIT
    case "${1:-}" in
    --check)
        mkdir "$scratch/packages" "$scratch/driver"
        generate_into "$scratch/packages" "$scratch/driver"
        diff -r --brief --exclude=__pycache__ "$scratch/packages/chatbridge/v1" "$CLIENT/src/chatbridge/v1" &&
            diff --brief "$scratch/driver/driver_pb2.py" "$DRIVER/driver_pb2.py" &&
            diff --brief "$scratch/driver/driver_pb2.pyi" "$DRIVER/driver_pb2.pyi" ||
            stop "clients/python is not what proto/ and tests/scenarios/driver.proto generate; run: make generate"
        ;;
    "")
        rm -rf "$CLIENT/src/chatbridge/v1"
        generate_into "$CLIENT/src" "$DRIVER"
        ;;
    *) stop "usage: python.sh generate [--check]" ;;
    esac
}

lint() {
    "$PYTHON" -m ruff format --check "$CLIENT"
    "$PYTHON" -m ruff check "$CLIENT"
    (cd "$CLIENT" && "$PYTHON" -m mypy .)
}

case "${1:-}" in
tools)
    [ -x "$PYTHON" ] || stop ".tools/venv is missing; run: scripts/tools.sh"
    ;;
generate) generate "${@:2}" ;;
lint) lint ;;
test) cd "$CLIENT" && exec "$PYTHON" -m pytest "${@:2}" ;;
build) ;;
driver) exec "$PYTHON" "$DRIVER/main.py" "${@:2}" ;;
*) stop "usage: python.sh tools | generate [--check] | lint | test | build | driver [--sync]" ;;
esac

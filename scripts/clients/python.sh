#!/usr/bin/env bash
# The Python client: what it is made of, checked with, tested by and packed into.
#
#   python.sh tools                 says what is missing; the tools are the project's own, in .tools/venv (scripts/tools.sh)
#   python.sh generate [--check]    writes the stubs, and the blocking twins of asynchronous modules; or compares
#   python.sh lint                  format, lints, types
#   python.sh test                  the library's own tests
#   python.sh build                 what driver and examples need to run
#   python.sh driver [--sync]       the driver for tests/scenarios; --sync uses the client that blocks
#   python.sh example NAME [ARG]... an example: bot, worker FILE
#   python.sh package               wheel and source archive into target/packages/python, tried in an empty project
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

# twins_into DIRECTORY: writes the blocking twins of the asynchronous modules there.
twins_into() {
    "$PYTHON" "$CLIENT/tools/synchronous.py" "$CLIENT/src/chatbridge" "$1"
    local written=()
    mapfile -t written < <(cd "$1" && grep -l '^# Written from .* by tools/synchronous.py' -- *.py)
    # Wherever they are written: the library's own modules come last.
    (cd "$1" && "$PYTHON" -m ruff check --quiet --fix --select F401,I --config "$CLIENT/pyproject.toml" \
        --config 'lint.isort.known-first-party = ["chatbridge"]' "${written[@]}" &&
        "$PYTHON" -m ruff format --quiet --config "$CLIENT/pyproject.toml" "${written[@]}")
}

# same WHAT COMMITTED GENERATED: stops where two files differ.
same() {
    diff --brief "$2" "$3" || stop "$1; run: make generate"
}

generate() {
    scratch="$(mktemp -d)"
    trap 'rm -rf "$scratch"' EXIT
    case "${1:-}" in
    --check)
        mkdir "$scratch/packages" "$scratch/driver"
        generate_into "$scratch/packages" "$scratch/driver"
        diff -r --brief --exclude=__pycache__ "$CLIENT/src/chatbridge/v1" "$scratch/packages/chatbridge/v1" ||
            stop "clients/python/src/chatbridge/v1 is not what proto/ generates; run: make generate"
        local file
        for file in driver_pb2.py driver_pb2.pyi; do
            same "clients/python/driver is not what driver.proto generates" "$DRIVER/$file" "$scratch/driver/$file"
        done
        mkdir "$scratch/sync"
        twins_into "$scratch/sync"
        for file in "$scratch/sync"/*.py; do
            same "clients/python/src/chatbridge/sync is not what tools/synchronous.py writes" \
                "$CLIENT/src/chatbridge/sync/${file##*/}" "$file"
        done
        ;;
    "")
        rm -rf "$CLIENT/src/chatbridge/v1"
        generate_into "$CLIENT/src" "$DRIVER"
        twins_into "$CLIENT/src/chatbridge/sync"
        ;;
    *) stop "usage: python.sh generate [--check]" ;;
    esac
}

lint() {
    "$PYTHON" -m ruff format --check "$CLIENT"
    "$PYTHON" -m ruff check "$CLIENT"
    (cd "$CLIENT" && "$PYTHON" -m mypy .)
}

# The package is built and tried as others get it: nothing of the checkout is on the path.
package() {
    local out="$ROOT/target/packages/python" version
    unset PYTHONPATH
    version="$(client_version python)"
    scratch="$(mktemp -d)"
    trap 'end_service; rm -rf "$scratch"' EXIT
    rm -rf "$out"
    mkdir -p "$out"
    (cd "$CLIENT" && "$PYTHON" -m hatchling build --directory "$out") >"$scratch/build.log" 2>&1 || {
        cat "$scratch/build.log" >&2
        stop "clients/python cannot be packed"
    }
    # The dependencies are those of the lock, so that a package is tried with what it was tested with.
    python3 -m venv "$scratch/venv"
    grep -vE '^ ' "$CLIENT/requirements-dev.txt" | sed 's/ *\\$//; s/ *;.*//' >"$scratch/constraints.txt"
    "$scratch/venv/bin/python" -m pip install -q --disable-pip-version-check --constraint "$scratch/constraints.txt" \
        "$out/chatbridge-$version-py3-none-any.whl"
    cp "$CLIENT/tools/first_message.py" "$scratch"
    start_service "$scratch"
    (cd "$scratch" && "$scratch/venv/bin/python" first_message.py "$address")
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
example)
    [ -f "$CLIENT/examples/${2:-}.py" ] || stop "there is no example ${2:-}; there are: bot, worker"
    exec "$PYTHON" "$CLIENT/examples/$2.py" "${@:3}"
    ;;
package) package ;;
*) stop "usage: python.sh tools | generate [--check] | lint | test | build | driver [--sync] | example NAME | package" ;;
esac

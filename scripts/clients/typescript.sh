#!/usr/bin/env bash
# What the project's scripts do with the TypeScript client.
#
#   typescript.sh tools                 installs what is missing: npm's packages, and Chromium
#   typescript.sh generate [--check]    writes the stubs, or fails where those committed are not fresh
#   typescript.sh lint                  format, lints, types
#   typescript.sh test                  the library's own tests
#   typescript.sh test-browser          the browser example in a real Chromium, against a service
#   typescript.sh build                 library, driver and examples
#   typescript.sh driver [--browser]    the driver of the scenarios, in Node or in a page in Chromium
#   typescript.sh example NAME [...]    an example: bot, worker FILE, browser
#   typescript.sh package               the npm package, tried in an empty project against a service
set -euo pipefail
source "$(dirname "$0")/../lib.sh"

TS="$ROOT/clients/typescript"
BIN="$TS/node_modules/.bin"

node_is_there() {
    have node && have npm || stop "node or npm is missing; install Node 20 or newer with npm"
    node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' ||
        stop "node is $(node --version); 20 or newer is needed"
}

tools() {
    node_is_there
    local stamp="$TS/node_modules/.lock-stamp"
    if ! cmp -s "$TS/package-lock.json" "$stamp"; then
        section "Installing npm packages into clients/typescript/node_modules"
        (cd "$TS" && npm ci --no-audit --no-fund --loglevel=error)
        cp "$TS/package-lock.json" "$stamp"
    fi
    [ -x /usr/bin/chromium ] || apt_install chromium
}

# stubs OUT: writes the stubs of the contract and of what the driver speaks below OUT.
stubs() {
    local out="$1" rpc proto protos=()
    rpc="$("$PYTHON" -c 'import google.rpc, pathlib; print(pathlib.Path(list(google.rpc.__path__)[0]).parents[1])')"
    while IFS= read -r proto; do
        protos+=("$proto")
    done < <(cd "$ROOT/proto" && find chatbridge/v1 -name '*.proto' | LC_ALL=C sort)
    mkdir -p "$out/src/gen" "$out/driver/gen"
    local es=("$PYTHON" -m grpc_tools.protoc --plugin=protoc-gen-es="$BIN/protoc-gen-es"
        --es_opt=target=ts,import_extension=js)
    "${es[@]}" --proto_path="$ROOT/proto" --proto_path="$rpc" --es_out="$out/src/gen" \
        "${protos[@]}" google/rpc/error_details.proto
    "${es[@]}" --proto_path="$ROOT/tests/scenarios" --es_out="$out/driver/gen" driver.proto
    {
        echo "// Generated from proto/, by \`make generate\`: all messages, enums and services of the contract."
        for proto in "${protos[@]}"; do
            echo "export * from \"./gen/${proto%.proto}_pb.js\";"
        done
    } >"$out/src/v1.ts"
}

generate() {
    if [ "${1:-}" = --check ]; then
        local scratch wrong=0
        scratch="$(mktemp -d)"
        stubs "$scratch"
        diff -r --brief "$scratch/src/gen" "$TS/src/gen" || wrong=1
        diff -r --brief "$scratch/driver/gen" "$TS/driver/gen" || wrong=1
        diff --brief "$scratch/src/v1.ts" "$TS/src/v1.ts" || wrong=1
        rm -rf "$scratch"
        [ "$wrong" -eq 0 ] || stop "clients/typescript is not what proto/ generates; run: make generate"
    else
        rm -rf "$TS/src/gen" "$TS/driver/gen"
        stubs "$TS"
    fi
}

# npm's tools, run in the client's directory.
in_client() {
    (cd "$TS" && "$@")
}

# build: the compiler looks for itself what has changed, and so does nothing the second time.
build() {
    in_client "$BIN/tsc" -b
    bundle build/driver/page.js build/driver/page.bundle.js
    bundle examples/browser/page.js build/examples/page.js
}

# bundle MODULE FILE: one file for a page.
bundle() {
    in_client "$BIN/esbuild" "$1" --bundle --format=esm --log-level=warning --outfile="$2"
}

# need FILE: what build leaves.
need() {
    [ -f "$1" ] || stop "${1#"$ROOT/"} is missing; run: scripts/clients/typescript.sh build"
}

driver() {
    local program="$TS/build/driver/node.js"
    if [ "${1:-}" = --browser ]; then
        program="$TS/build/driver/browser.js"
    fi
    need "$program"
    exec node "$program"
}

lint() {
    in_client "$BIN/prettier" --check --log-level=warn .
    in_client "$BIN/tsc" -b
    in_client "$BIN/eslint" --max-warnings 0 .
}

own_tests() {
    build
    (cd "$TS" && node --test build/tests/*.test.js)
}

# with_service PROGRAM [ARGUMENT...]: runs it beside a service of its own.
with_service() {
    local binary="${CHATBRIDGE_BIN:-$(service_binary)}"
    [ -x "$binary" ] || stop "$binary is missing; run: cargo build, or set CHATBRIDGE_BIN"
    CHATBRIDGE_BIN="$binary" node "$TS/build/tests/with-service.js" "$@"
}

test_browser() {
    build
    with_service node "$TS/build/tests/browser-example.js"
}

# package: the tarball, installed into an empty project, run from there and compiled against.
package() {
    build
    local out="$ROOT/target/packages/typescript"
    client_version typescript >/dev/null
    rm -rf "$out"
    mkdir -p "$out"
    in_client npm pack --silent --pack-destination "$out"
    project="$(mktemp -d)"
    # Not local: the trap runs when this function is over.
    trap 'rm -rf "$project"' EXIT
    cp "$TS"/trial/* "$project/"
    printf '{ "name": "trial", "private": true, "type": "module" }\n' >"$project/package.json"
    (cd "$project" && npm install --silent --no-audit --no-fund --prefer-offline "$out"/*.tgz)
    with_service node "$project/trial.js"
    (cd "$project" && "$BIN/tsc" --noEmit --strict --target es2022 --module nodenext --lib es2022,dom,dom.asynciterable types.ts)
    echo "$(basename "$out"/*.tgz): installed into an empty project, it runs there, and has its types"
}

# example NAME [ARGUMENT...]
example() {
    local name="${1:-}"
    [ $# -eq 0 ] || shift
    need "$TS/dist/index.js"
    case "$name" in
    bot | worker) exec node "$TS/examples/$name.js" "$@" ;;
    browser)
        need "$TS/build/examples/page.js"
        exec node "$TS/examples/browser/serve.js"
        ;;
    *) stop "usage: typescript.sh example bot | worker FILE | browser" ;;
    esac
}

case "${1:-}" in
tools) tools ;;
generate) generate "${2:-}" ;;
lint) lint ;;
test) own_tests ;;
test-browser) test_browser ;;
build) build ;;
driver) driver "${2:-}" ;;
example) example "${@:2}" ;;
package) package ;;
*) stop "usage: typescript.sh tools | generate [--check] | lint | test | test-browser | build | driver [--browser] | example NAME | package" ;;
esac

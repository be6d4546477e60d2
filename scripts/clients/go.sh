#!/usr/bin/env bash
# The client for Go.
#
#   go.sh tools               installs the tools below, pinned, into .tools/bin
#   go.sh generate [--check]  writes the stubs, or fails where what is committed is not what would be written
#   go.sh lint                format, vet, staticcheck, go.mod
#   go.sh test                the library's own tests
#   go.sh build               the driver and the examples, into target/clients/go
#   go.sh driver              runs the driver of tests/scenarios
#   go.sh example NAME ...    runs an example: bot, worker
#   go.sh package             makes the module's zip as a proxy serves it, and uses it in an empty module
set -euo pipefail
source "$(dirname "$0")/../lib.sh"

MODULE="github.com/chatbridge/chatbridge/clients/go"
SOURCE="$ROOT/clients/go"
BUILT="$ROOT/target/clients/go"
# What grpc-go of this release asks for.
GO_MINOR=26

PROTOC_GEN_GO="google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12"
PROTOC_GEN_GO_GRPC="google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2"
STATICCHECK="honnef.co/go/tools/cmd/staticcheck@v0.8.2"

go_compiler() {
    local version
    have go || stop "go is missing; install Go 1.$GO_MINOR or newer: https://go.dev/dl"
    version="$(cd / && go env GOVERSION)"
    [[ "$version" =~ ^go1\.([0-9]+) && "${BASH_REMATCH[1]}" -ge $GO_MINOR ]] ||
        stop "go is $version; 1.$GO_MINOR or newer is needed: https://go.dev/dl"
}

# go_tool PACKAGE@VERSION: installs a program into .tools/bin, unless that very version is there.
go_tool() {
    local program="$TOOLS/bin/$(basename "${1%@*}")" version="${1#*@}"
    if [ -x "$program" ] && go version -m "$program" | grep -q "^	mod	.*	$version	"; then
        return
    fi
    section "Installing $(basename "$program") $version into .tools/bin"
    GOBIN="$TOOLS/bin" go install "$1"
}

tools() {
    go_compiler
    go_tool "$PROTOC_GEN_GO"
    go_tool "$PROTOC_GEN_GO_GRPC"
    go_tool "$STATICCHECK"
    # The race detector of `test` is built with it.
    have cc || apt_install gcc libc6-dev
    (cd "$SOURCE" && go mod download && cd packaging && go mod download)
}

# stubs DIRECTORY: writes the stubs of the contract and of the driver's protocol as they lie below clients/go.
stubs() {
    local proto protos=()
    while IFS= read -r proto; do
        protos+=("$proto")
    done < <(cd "$ROOT/proto" && find chatbridge -name '*.proto' | LC_ALL=C sort)
    "$PYTHON" -m grpc_tools.protoc \
        --proto_path="$ROOT/proto" --proto_path="$ROOT/tests/scenarios" \
        --plugin=protoc-gen-go="$TOOLS/bin/protoc-gen-go" \
        --plugin=protoc-gen-go-grpc="$TOOLS/bin/protoc-gen-go-grpc" \
        --go_out="$1" --go_opt=module="$MODULE" \
        --go-grpc_out="$1" --go-grpc_opt=module="$MODULE" \
        "${protos[@]}" driver.proto
}

generate() {
    local directory scratch
    scratch="$(mktemp -d)"
    # shellcheck disable=SC2064 (the directory of now is meant)
    trap "rm -rf '$scratch'" EXIT
    stubs "$scratch"
    case "${1:-}" in
    --check)
        for directory in chatbridge/v1 internal/driverpb; do
            diff -r --brief "$scratch/$directory" "$SOURCE/$directory" ||
                stop "clients/go is not what the protos generate; run: scripts/clients/go.sh generate"
        done
        ;;
    "")
        for directory in chatbridge/v1 internal/driverpb; do
            rm -rf "${SOURCE:?}/$directory"
            mkdir -p "$SOURCE/$(dirname "$directory")"
            cp -R "$scratch/$directory" "$SOURCE/$directory"
        done
        ;;
    *)
        stop "usage: go.sh generate [--check]"
        ;;
    esac
}

lint() {
    local unformatted
    cd "$SOURCE"
    unformatted="$(gofmt -l .)"
    [ -z "$unformatted" ] || stop "not formatted as gofmt does: $unformatted"
    for directory in . packaging; do
        (cd "$directory" && go mod tidy -diff && go vet ./... && "$TOOLS/bin/staticcheck" ./...)
    done
}

build() {
    mkdir -p "$BUILT"
    cd "$SOURCE"
    go build -buildvcs=false -o "$BUILT/" ./internal/driver ./examples/bot ./examples/worker
}

# run PROGRAM ARGUMENT...: in this process's place.
run() {
    local program="$BUILT/$1"
    shift
    [ -x "$program" ] || stop "$program is not there; run: scripts/clients/go.sh build"
    exec "$program" "$@"
}

# The module as a proxy serves it, and the program with which the README begins, in an empty module that gets it from there.
package() {
    local version packages="$ROOT/target/packages/go" downloaded
    version="v$(client_version go)"
    rm -rf "$packages"
    mkdir -p "$packages"
    (cd "$SOURCE/packaging" && go run -buildvcs=false . "$SOURCE" "$version" "$packages")

    scratch="$(mktemp -d)"
    trap 'end_service; rm -rf "$scratch"' EXIT
    start_service "$scratch"
    mkdir "$scratch/trial"
    cd "$scratch/trial"
    awk '/^```/ { if (inside) exit; inside = /^```go$/; next } inside' "$SOURCE/README.md" |
        sed "s/127\.0\.0\.1:50051/$address/" >main.go
    downloaded="$(go env GOMODCACHE)/cache/download"
    # A cache of its own, since this version's content is not final; other modules come from the usual cache where they are there.
    export GOPROXY="file://$packages,file://$downloaded,$(go env GOPROXY)"
    export GOMODCACHE="$scratch/modules" GOFLAGS="-modcacherw" GONOSUMDB="$MODULE" GOWORK=off
    go mod init example.com/trial
    go get "$MODULE@$version"
    go build -o trial .
    timeout 60 ./trial
}

command="${1:-}"
[ $# -eq 0 ] || shift
case "$command" in
tools) tools ;;
generate) generate "$@" ;;
lint) lint ;;
test) cd "$SOURCE" && go test -race ./... ;;
build) build ;;
driver) run driver ;;
example)
    case "${1:-}" in
    bot | worker) run "$@" ;;
    *) stop "usage: go.sh example bot | worker FILE" ;;
    esac
    ;;
package) package ;;
*)
    stop "usage: go.sh tools | generate [--check] | lint | test | build | driver | example NAME [ARGUMENT...] | package"
    ;;
esac

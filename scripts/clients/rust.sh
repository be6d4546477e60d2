#!/usr/bin/env bash
# The Rust client. Its crate is a member of the workspace, so that what is built for the service serves it, too: the commands
# below name the whole workspace, because with one crate alone the dependencies have fewer features and are compiled again.
#
#   rust.sh tools               says what is missing: cargo alone
#   rust.sh generate [--check]  writes what follows from the contract, or compares it
#   rust.sh lint                format and clippy
#   rust.sh test                the library's own tests, which `cargo test --workspace` runs, too
#   rust.sh build               driver and examples
#   rust.sh driver              the driver for tests/scenarios
#   rust.sh example NAME ...    runs an example: bot, worker
#   rust.sh package             makes the crate and uses it in an empty project
set -euo pipefail
source "$(dirname "$0")/../lib.sh"
cd "$ROOT"

CRATE="$ROOT/clients/rust"
BUILT="${CARGO_TARGET_DIR:-$ROOT/target}"
GENERATED=(src/v1.rs src/methods.rs examples/driver/protocol.rs examples/driver/dispatch.rs)

# generate_into DIRECTORY: of the shape of clients/rust.
generate_into() {
    local file
    for file in "${GENERATED[@]}"; do
        mkdir -p "$1/$(dirname "$file")"
    done
    cargo run --quiet --locked -p chatbridge-client-generate -- "$1"
    (cd "$1" && rustfmt --edition 2024 --config-path "$ROOT" "${GENERATED[@]}")
}

generate() {
    local file
    case "${1:-}" in
    --check)
        scratch="$(mktemp -d)"
        trap 'rm -rf "$scratch"' EXIT
        generate_into "$scratch"
        for file in "${GENERATED[@]}"; do
            diff --brief "$scratch/$file" "$CRATE/$file" ||
                stop "clients/rust is not what proto/ and tests/scenarios/driver.proto generate; run: make generate"
        done
        ;;
    "") generate_into "$CRATE" ;;
    *) stop "usage: rust.sh generate [--check]" ;;
    esac
}

# Makes the crate, and uses it in an empty project: the README's first program, against a service of its own.
package() {
    local out="$BUILT/packages/rust" version
    version="$(client_version rust)"
    mkdir -p "$out"
    cargo package --quiet --locked --offline --allow-dirty --no-verify -p chatbridge-client
    cp "$BUILT/package/chatbridge-client-$version.crate" "$out/"

    scratch="$(mktemp -d)"
    trap 'end_service; rm -rf "$scratch"' EXIT
    mkdir -p "$scratch/project/src"
    tar --extract --gzip --file "$out/chatbridge-client-$version.crate" --directory "$scratch"
    # The same versions and profile as the workspace has, so that what it has built can be used.
    cp Cargo.lock "$scratch/project/Cargo.lock"
    cat >"$scratch/project/Cargo.toml" <<EOF
[package]
name = "hello"
version = "0.1.0"
edition = "2024"

[dependencies]
chatbridge-client = { path = "../chatbridge-client-$version" }
futures-util = "0.3"
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }

[profile.dev]
debug = "line-tables-only"

[profile.dev.package."*"]
debug = false
EOF
    start_service "$scratch"
    sed -n '/^```rust$/,/^```$/{/^```rust$/d;/^```$/q;p}' "$CRATE/README.md" |
        sed "s|127\.0\.0\.1:50051|$address|" >"$scratch/project/src/main.rs"
    (cd "$scratch/project" && CARGO_TARGET_DIR="$BUILT" cargo build --quiet --offline)
    timeout 60 "$BUILT/debug/hello" | grep . || stop "the program that uses the package heard no agent"
    echo "$out/chatbridge-client-$version.crate"
}

# run PROGRAM [ARGUMENT...]: in this process's place.
run() {
    local program="$BUILT/debug/examples/$1"
    [ -x "$program" ] || stop "$program is not there; run: scripts/clients/rust.sh build"
    exec "$program" "${@:2}"
}

case "${1:-}" in
tools) have cargo || stop "cargo is missing; install Rust 1.95 or newer: https://rustup.rs" ;;
generate) generate "${@:2}" ;;
lint)
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
    ;;
test) cargo test --workspace --locked --quiet --test client ;;
build) cargo build --workspace --locked --quiet --example driver --example bot --example worker ;;
driver) run driver ;;
example)
    case "${2:-}" in
    bot | worker) run "${@:2}" ;;
    *) stop "usage: rust.sh example bot | worker FILE" ;;
    esac
    ;;
package) package ;;
*) stop "usage: rust.sh tools | generate [--check] | lint | test | build | driver | example NAME [ARGUMENT...] | package" ;;
esac

# Shared by the scripts beside it; sourced, after `set -euo pipefail`.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
TOOLS="$ROOT/.tools"
VENV="$TOOLS/venv"
PYTHON="$VENV/bin/python"
CLIENT="$ROOT/clients/python"

# A heading, so that a long run can be read.
section() {
    printf '\n== %s\n' "$*"
}

# Stops with one line that says what to do.
stop() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Whether a program is there.
have() {
    command -v "$1" >/dev/null 2>&1
}

# apt_install PACKAGE...: installs Debian packages where we may, and stops with the command to run where we may not.
apt_install() {
    local sudo=()
    have apt-get || stop "missing: $*; install these packages (named as on Debian) with your system's package manager"
    if [ "$(id -u)" -ne 0 ]; then
        { have sudo && sudo -n true 2>/dev/null; } || stop "missing: $*; run: sudo apt-get install $*"
        sudo=(sudo -n)
    fi
    section "Installing $*"
    "${sudo[@]}" apt-get update -qq </dev/null
    # In run level 1 Debian's packages do not start their services: tests start their own Redis.
    "${sudo[@]}" env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" </dev/null
}

# The languages that have a client: clients/LANGUAGE, and scripts/clients/LANGUAGE.sh, which all take the same commands.
CLIENTS=(python typescript go java rust)

# clients COMMAND [ARGUMENT...]: has the script of each client do it.
clients() {
    local language
    for language in "${CLIENTS[@]}"; do
        "$ROOT/scripts/clients/$language.sh" "$@"
    done
}

# Where `cargo test` leaves the service's program, since the integration tests start it. Building it by itself would compile
# everything again, because without the tests' dependencies some crates have fewer features.
service_binary() {
    printf '%s/debug/chatbridge' "${CARGO_TARGET_DIR:-$ROOT/target}"
}

# build_service: has it there, built as the tests have it.
build_service() {
    (cd "$ROOT" && cargo test --workspace --locked --quiet --no-run)
}

# start_service DIRECTORY: starts a service in memory, with a sandbox, on free ports, that keeps its files in DIRECTORY. $service is
# its process then, and $address that of its gRPC. Whoever starts it has end_service called at the end, by a trap.
start_service() {
    local directory="$1" binary="${CHATBRIDGE_BIN:-$(service_binary)}" tries=0
    [ -x "$binary" ] || stop "$binary is not there; run: cargo build, or set CHATBRIDGE_BIN"
    (
        # What the developer's own shell sets for Chatbridge must not reach it.
        for name in $(compgen -e CHATBRIDGE_); do
            unset "$name"
        done
        for name in GRPC WEBHOOK ADMIN SANDBOX; do
            export "CHATBRIDGE_${name}_LISTEN=127.0.0.1:0"
        done
        exec "$binary" dev --pace 0 --ready-file "$directory/ready.json"
    ) </dev/null >"$directory/service.log" 2>&1 &
    service=$!
    until [ -s "$directory/ready.json" ]; do
        tries=$((tries + 1))
        { kill -0 "$service" 2>/dev/null && [ $tries -lt 300 ]; } ||
            stop "the service did not start: $(tail -n 5 "$directory/service.log")"
        sleep 0.1
    done
    address="$(sed 's/.*"grpc":"\([^"]*\)".*/\1/' "$directory/ready.json")"
}

# Ends what start_service started, if it did.
end_service() {
    [ -z "${service:-}" ] || { kill "$service" && wait "$service"; } 2>/dev/null || true
}

# second_chance COMMAND [ARGUMENT...]: runs it, and where it fails once more: tests that measure time fail where a machine stands
# still for some seconds. It says so even if the second run passes.
second_chance() {
    "$@" && return
    section "Failed; once more: $*"
    "$@"
    printf '\nUNSTEADY: passed the second time only: %s\n' "$*"
}

# The version of a client, after a check that all of its files agree.
client_version() {
    "$PYTHON" "$ROOT/scripts/versions.py" "$1"
}

# The three newest minor versions of Kubernetes: what the chart's objects are checked against.
# shellcheck disable=SC2034
KUBERNETES_VERSIONS=(1.35.4 1.36.3 1.37.2)

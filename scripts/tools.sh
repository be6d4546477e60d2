#!/usr/bin/env bash
# Installs what is missing. A second run finds everything in place and does nothing.
#
#   tools.sh          what the project's checks need
#   tools.sh bench    what the bench needs, and the peers that it measures, as far as they can be had
#   tools.sh chaos    what the fault run needs: redis-server and faketime
#   tools.sh chart    what checks the chart: Go programs, and schemas of Kubernetes; takes minutes the first time
#   tools.sh chart-api    beside that, etcd and an API server; takes a quarter of an hour the first time
#   tools.sh fuzz     what the fuzz targets need: a C++ compiler
#   tools.sh image    what the image is checked with: redis-server, file, strip
#   tools.sh python   the Python tools alone
#   tools.sh sbom     what the bill of materials needs: cargo-cyclonedx, and the tools for checks
#
# Python tools go into .tools/venv and .tools/checkov, from hashed pins; Centrifugo, cargo-cyclonedx and the chart's tools go into
# .tools/bin. What a client's language needs is installed by its script in scripts/clients. The rest comes from the system.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

# One version, so that figures of two runs are of the same program. It does not know its version by itself.
CENTRIFUGO_VERSION="6.9.1"
CARGO_CYCLONEDX_VERSION="0.5.9"
CENTRIFUGO="github.com/centrifugal/centrifugo/v6"

rust_compiler() {
    have cargo || stop "cargo is missing; install Rust 1.95 or newer: https://rustup.rs"
}

rust_tools() {
    if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
        have rustup || stop "rustfmt or clippy is missing; install them beside cargo"
        rustup component add rustfmt clippy
    fi
}

system_tools() {
    local missing=()
    have redis-server || missing+=(redis-server)
    # Debian has it in a package of its own, which redis-server needs; elsewhere it may be missing.
    have redis-cli || missing+=(redis-tools)
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
    system_python
}

system_python() {
    local missing=()
    have python3 || missing+=(python3)
    # Debian splits venv off, and a venv without ensurepip has no pip.
    { have python3 && python3 -c 'import venv, ensurepip' 2>/dev/null; } || missing+=(python3-venv)
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        stop "python3 is $(python3 -c 'import platform; print(platform.python_version())'); 3.10 or newer is needed"
}

chaos_tools() {
    local missing=()
    have redis-server || missing+=(redis-server)
    compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || missing+=(faketime)
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

python_tools() {
    local lock="$CLIENT/requirements-dev.txt" stamp="$TOOLS/venv.stamp" wanted
    # A venv holds absolute paths, so a tree that was moved or copied needs a new one.
    wanted="$(printf '%s\n' "$ROOT"; python3 -V; cat "$lock")"
    if [ -x "$PYTHON" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
        return
    fi
    section "Installing Python tools into .tools/venv"
    rm -rf "$VENV" "$stamp"
    mkdir -p "$TOOLS"
    python3 -m venv "$VENV"
    "$PYTHON" -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"
    "$PYTHON" -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e "$CLIENT"
    printf '%s\n' "$wanted" >"$stamp"
}

fuzz_tools() {
    have c++ || apt_install g++
}

# strip, file and readelf look into the program, redis-server is what it is run with.
image_tools() {
    local missing=()
    have redis-server || missing+=(redis-server)
    have file || missing+=(file)
    { have strip && have readelf; } || missing+=(binutils)
    { have unshare && have setpriv; } || missing+=(util-linux)
    [ -f /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

sbom_tools() {
    local program="$TOOLS/bin/cargo-cyclonedx"
    if [ -x "$program" ] && [ "$("$program" cyclonedx --version)" = "cargo-cyclonedx-cyclonedx $CARGO_CYCLONEDX_VERSION" ]; then
        return
    fi
    section "Installing cargo-cyclonedx into .tools/bin"
    # It runs for a second, so compiling it well is not worth the wait.
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 \
        cargo install --quiet --locked --root "$TOOLS" --target-dir "$TOOLS/build" "cargo-cyclonedx@$CARGO_CYCLONEDX_VERSION"
    rm -rf "$TOOLS/build"
}

# What the bench cannot do without, and its peers: without one, the bench says so and measures the others.
bench_tools() {
    local missing=()
    have redis-server || apt_install redis-server
    { have nginx || [ -x /usr/sbin/nginx ]; } || missing+=(nginx-light)
    compgen -G '/usr/lib*/nginx/modules/ngx_nchan_module.so' >/dev/null || missing+=(libnginx-mod-nchan)
    if [ ${#missing[@]} -gt 0 ]; then
        (apt_install "${missing[@]}") || echo "Nchan cannot be had, and is left out."
    fi
    if ! have centrifugo && [ ! -x "$TOOLS/bin/centrifugo" ]; then
        if ! have go; then
            echo "Centrifugo cannot be had without Go, and is left out."
        elif ! GOBIN="$TOOLS/bin" go install -ldflags "-X $CENTRIFUGO/internal/build.Version=$CENTRIFUGO_VERSION" \
            "$CENTRIFUGO@v$CENTRIFUGO_VERSION"; then
            echo "Centrifugo cannot be had: go install $CENTRIFUGO@v$CENTRIFUGO_VERSION failed. It is left out."
        fi
    fi
}

case "${1:-}" in
bench)
    rust_compiler
    bench_tools
    ;;
chaos)
    rust_compiler
    chaos_tools
    ;;
chart | chart-api)
    have go || stop "Go is missing, with which the chart's tools are built; install Go 1.26 or newer: https://go.dev/dl"
    system_python
    python_tools
    "$ROOT/scripts/chart/tools.sh" "$1"
    ;;
fuzz)
    rust_compiler
    fuzz_tools
    ;;
image)
    rust_compiler
    image_tools
    ;;
python)
    system_python
    python_tools
    ;;
sbom)
    rust_compiler
    system_python
    python_tools
    sbom_tools
    ;;
"")
    rust_compiler
    rust_tools
    system_tools
    fuzz_tools
    python_tools
    clients tools
    ;;
*)
    stop "usage: tools.sh [bench | chaos | chart | chart-api | fuzz | image | python | sbom]"
    ;;
esac

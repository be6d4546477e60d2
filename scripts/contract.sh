#!/usr/bin/env bash
# The contract as a file, and what it may not do to those who use it.
#
#   contract.sh breaking          fails where proto/ breaks clients of the last release
#   contract.sh release VERSION   keeps the contract as that of a release: run by whoever releases, and by nobody else
#   contract.sh export DIRECTORY  writes the contract for other languages: a descriptor set, and the files themselves
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

BUF="$VENV/bin/buf"
RELEASES="proto/releases"

# The image of the last release: names are versions, which sort as such.
last_release() {
    [ ! -d "$RELEASES" ] || find "$RELEASES" -name 'v*.binpb' | LC_ALL=C sort -V | tail -n 1
}

case "${1:-}" in
breaking)
    last="$(last_release)"
    [ -n "$last" ] || stop "$RELEASES has no contract of a release to compare with"
    "$BUF" breaking --against "$last" ||
        stop "the lines above would break clients of the release in $last; add beside what is there instead"
    ;;
release)
    version="${2:-}"
    [[ "$version" =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || stop "usage: contract.sh release VERSION, such as 0.2.0"
    image="$RELEASES/v$version.binpb"
    [ ! -e "$image" ] || stop "$image exists: what was released does not change"
    [ -z "$(last_release)" ] || scripts/contract.sh breaking
    mkdir -p "$RELEASES"
    # Comments change without breaking anybody, and would make up most of the file.
    "$BUF" build --exclude-source-info --output "$image"
    echo "$image"
    ;;
export)
    [ -n "${2:-}" ] || stop "usage: contract.sh export DIRECTORY"
    mkdir -p "$2"
    out="$(cd "$2" && pwd)"
    "$BUF" build --as-file-descriptor-set --output "$out/chatbridge.v1.binpb"
    tar --create --gzip --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --exclude=releases \
        --file "$out/chatbridge-proto.tar.gz" proto
    echo "$out/chatbridge.v1.binpb"
    echo "$out/chatbridge-proto.tar.gz"
    ;;
*)
    stop "usage: contract.sh breaking | release VERSION | export DIRECTORY"
    ;;
esac

#!/usr/bin/env bash
# What the container's image is made of, and whether it is as it should be.
#
#   image.sh root DIRECTORY [PROFILE]   lays out the image's files: the program, built static by that profile of cargo (release), the
#                                       authorities that browsers know, and the bill of materials
#   image.sh check DIRECTORY            checks them, and runs the program on nothing else
#
# The C library is glibc, linked in. Since 2.34 it looks up names in /etc/hosts and by DNS without loading anything.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

USER_ID=65532
# The program, in MiB, at most. A release has some 30; a profile that optimises nothing has more.
SIZE_MAX=120
AUTHORITIES="/etc/ssl/certs/ca-certificates.crt"

# root DIRECTORY PROFILE
root() {
    local directory="$1" profile="$2" target built
    [ -f "$AUTHORITIES" ] || stop "$AUTHORITIES is missing; install the package ca-certificates"
    target="$(rustc -vV | sed -n 's/^host: //p')"
    section "The program, static, for $target, profile $profile"
    # With the target named, the flag holds for the program alone, and not for what runs while building.
    RUSTFLAGS="-C target-feature=+crt-static" \
        cargo build --locked --quiet --bin chatbridge --target "$target" --profile "$profile"
    built="${CARGO_TARGET_DIR:-target}/$target/${profile/#dev/debug}/chatbridge"

    section "The image's files"
    rm -rf "$directory"
    mkdir -p "$directory/etc/ssl/certs" "$directory/usr/share/doc/chatbridge"
    strip -o "$directory/chatbridge" "$built"
    cp "$AUTHORITIES" "$directory$AUTHORITIES"
    printf 'chatbridge:x:%s:%s::/:/nonexistent\n' "$USER_ID" "$USER_ID" >"$directory/etc/passwd"
    printf 'chatbridge:x:%s:\n' "$USER_ID" >"$directory/etc/group"
    chmod 0555 "$directory/chatbridge"
    chmod 0444 "$directory$AUTHORITIES" "$directory/etc/passwd" "$directory/etc/group"
    scripts/tools.sh sbom
    scripts/sbom.sh "$directory/usr/share/doc/chatbridge/chatbridge.cdx.json"
    chmod 0444 "$directory/usr/share/doc/chatbridge/chatbridge.cdx.json"
}

# check DIRECTORY
check() {
    local program="$1/chatbridge" kind size
    section "What the program is"
    kind="$(file --brief "$program")"
    echo "$kind"
    [[ "$kind" == *"static"* && "$kind" == *", stripped" ]] || stop "$program is not static and stripped"
    # `ldd` fails for some kinds of static programs, and says so for all.
    [[ "$(ldd "$program" 2>&1 || true)" =~ statically\ linked|not\ a\ dynamic ]] || stop "ldd finds libraries that $program needs"
    ! readelf --program-headers --wide "$program" | grep -q INTERP || stop "$program wants a loader"
    ! readelf --dynamic --wide "$program" | grep -q NEEDED || stop "$program needs libraries"
    size=$(($(stat --format=%s "$program") / 1048576))
    echo "$size MiB"
    [ "$size" -le "$SIZE_MAX" ] || stop "$program has $size MiB, and $SIZE_MAX are allowed"
    ! find "$1" -perm /022 ! -type l | grep . || stop "others may write to the files above"

    section "It runs on nothing else"
    [ "$(id -u)" = 0 ] || stop "only root can make a root directory and be another user in it; run this as root, or leave it to CI"
    have redis-server || stop "redis-server is missing"
    # Nothing that is mounted or listened on here is seen outside, and all ends with it.
    unshare --mount --net --pid --fork --kill-child --mount-proc "$PYTHON" scripts/image/run.py "$1"
}

case "${1:-} $#" in
"root 2" | "root 3") root "$2" "${3:-release}" ;;
"check 2") check "$2" ;;
*) stop "usage: image.sh root DIRECTORY [PROFILE] | image.sh check DIRECTORY" ;;
esac

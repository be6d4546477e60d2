#!/usr/bin/env bash
# Hands what others write, mutated, to its readers (fuzz/README.md), by libFuzzer and a stable compiler.
#
#   fuzz.sh short                  the same few inputs each time, for each target: what `make test` runs
#   fuzz.sh long [TARGET...]       for FUZZ_SECONDS (600) each, one after another: what `make fuzz` runs
#   fuzz.sh keep [TARGET...]       puts into fuzz/corpus what long runs found that reaches something new
#   fuzz.sh replay TARGET FILE...  one input again
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

OUT="$(mkdir -p "${CARGO_TARGET_DIR:-target}/fuzzing" && cd "${CARGO_TARGET_DIR:-target}/fuzzing" && pwd)"
SHORT_RUNS=20000
SHORT_SECONDS=5

# An input that takes 10 s or 1 GiB is a finding, too.
LIMITS=(-timeout=10 -rss_limit_mb=1024 -print_final_stats=1)

TARGETS=()
for target in fuzz/fuzz_targets/*.rs; do
    TARGETS+=("$(basename "$target" .rs)")
done

# build ARGUMENT...: builds the targets as cargo is told, and notes where they are in $OUT/programs: a name and a path a line.
build() {
    local bins=()
    for target in "${TARGETS[@]}"; do
        bins+=(--bin "$target")
    done
    section "Building the fuzz targets"
    # As tests, since tests and what they depend on are built with more features than a program is: so the short run finds
    # all dependencies built.
    RUSTC_WORKSPACE_WRAPPER="$ROOT/scripts/fuzz-rustc.sh" CARGO_INCREMENTAL=0 \
        cargo test --locked --quiet --no-run "$@" --features chatbridge-fuzz/libfuzzer "${bins[@]}" \
        --message-format=json-render-diagnostics |
        sed -n 's/.*"kind":\["bin"\].*"name":"\([a-z_]*\)".*"executable":"\([^"]*\)".*/\1 \2/p' >"$OUT/programs"
}

# program TARGET: where it was built.
program() {
    awk -v name="$1" '$1 == name { print $2 }' "$OUT/programs"
}

# known TARGET...: stops where one of them is none.
known() {
    local target
    for target in "$@"; do
        [ -f "fuzz/fuzz_targets/$target.rs" ] || stop "there is no fuzz target $target; there are: ${TARGETS[*]}"
    done
}

# run TARGET DIRECTORY ARGUMENT...: one target, until it is through or finds something. New inputs go into the directory.
run() {
    local target="$1" corpus="$2" log="$OUT/$1.log" found="$OUT/findings/$1-" executions covered
    shift 2
    mkdir -p "$corpus" "$OUT/findings"
    if ! "$(program "$target")" "${LIMITS[@]}" -dict="fuzz/dictionaries/$target.dict" -artifact_prefix="$found" "$@" \
        "$corpus" "fuzz/corpus/$target" >"$log" 2>&1; then
        { grep -A 3 'panicked at' "$log" || true; tail -n 12 "$log"; } >&2
        printf 'error: the input above breaks a property; see it again by: scripts/fuzz.sh replay %s FILE\n' "$target" >&2
        broken+=("$target")
        return
    fi
    executions="$(awk '/^stat::number_of_executed_units/ { print $2 }' "$log")"
    covered="$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)"
    printf '%-12s %12s executions, %6s edges covered\n' "$target" "$executions" "$covered"
}

# Targets that found something. The others run all the same.
broken=()

[ $# -gt 0 ] || stop "usage: fuzz.sh short | long [TARGET...] | keep [TARGET...] | replay TARGET FILE..."
mode="$1"
shift

case "$mode" in
short)
    build --workspace
    for target in "${TARGETS[@]}"; do
        # Nothing is left of one run for the next, so that each does the same.
        rm -rf "$OUT/short"
        run "$target" "$OUT/short" -seed=1 -runs="$SHORT_RUNS" -max_total_time="$SHORT_SECONDS"
    done
    ;;
long)
    known "$@"
    build --profile fuzz --package chatbridge-fuzz
    [ $# -gt 0 ] || set -- "${TARGETS[@]}"
    for target in "$@"; do
        run "$target" "$OUT/corpus/$target" -max_total_time="${FUZZ_SECONDS:-600}"
    done
    ;;
keep)
    known "$@"
    build --profile fuzz --package chatbridge-fuzz
    [ $# -gt 0 ] || set -- "${TARGETS[@]}"
    for target in "$@"; do
        # As few as reach every branch that was reached, however often each ran: the corpus stays small.
        "$(program "$target")" -set_cover_merge=1 -use_counters=0 "fuzz/corpus/$target" "$OUT/corpus/$target" 2>&1 |
            tail -n 1
    done
    ;;
replay)
    [ $# -ge 2 ] || stop "usage: fuzz.sh replay TARGET FILE..."
    known "$1"
    build --profile fuzz --package chatbridge-fuzz
    exec "$(program "$1")" "${LIMITS[@]}" "${@:2}"
    ;;
*)
    stop "usage: fuzz.sh short | long [TARGET...] | keep [TARGET...] | replay TARGET FILE..."
    ;;
esac

[ ${#broken[@]} -eq 0 ] || stop "found something: ${broken[*]}"

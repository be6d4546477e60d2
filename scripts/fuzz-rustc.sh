#!/usr/bin/env bash
# What cargo calls in place of the compiler for the crates of this workspace (RUSTC_WORKSPACE_WRAPPER), so that they count which
# of their branches run, and what they compare. These are flags of the stable compiler. Dependencies are left as they are:
# what is generic in them is compiled with our crates, and their own branches would only distract.
set -euo pipefail
case " $* " in
# A build script runs without the engine, which the counters need.
*" --crate-name build_script_"*) exec "$@" ;;
# cargo asks what the compiler is.
*" -vV "*) exec "$@" ;;
esac
exec "$@" -Ccodegen-units=1 -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares

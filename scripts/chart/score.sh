#!/usr/bin/env bash
# score.sh FILE...: kube-score on the objects of each file, but for the findings below. Warnings fail as well.
set -euo pipefail
source "$(dirname "$0")/../lib.sh"

ignored=(
    # Images are named by version or digest, which never change; to pull at each start would let starts depend on the registry.
    container-image-pull-policy
    # Topology spread keeps pods apart, over zones too, and lets them start where there is no room to keep apart.
    deployment-has-host-podantiaffinity
)
arguments=(
    # A CPU limit holds events up while the machine is idle; the request is what others are protected by.
    --ignore-container-cpu-limit
    # Of the tests that are not run by default; those left out want requests that equal limits, and so a limit of CPU.
    --enable-optional-test container-seccomp-profile
    --enable-optional-test container-ports-check
)
for test in "${ignored[@]}"; do
    arguments+=(--ignore-test "$test")
done

failed=0
for file in "$@"; do
    "$TOOLS/bin/kube-score" score --exit-one-on-warning --output-format ci --kubernetes-version v1.35 "${arguments[@]}" "$file" >"$file.score" ||
        { failed=1; echo "$(basename "$file"):"; grep -E '^\[(CRITICAL|WARNING)\]' "$file.score" || cat "$file.score"; }
done
[ "$failed" = 0 ] || stop "kube-score found what is above: mend it, or say in scripts/chart/score.sh why it may stay"
echo "$(cat "${@/%/.score}" | grep -c '^\[OK\]') tests passed in $# files, none failed"

#!/usr/bin/env bash
# scan.sh RELEASE TESTS: checkov on the Dockerfile, on the rendered objects of a directory, and on the pods of `helm test` in another, but
# for the findings below. It asks nobody over the network.
set -euo pipefail
source "$(dirname "$0")/../lib.sh"

ignored=(
    # A CPU limit holds events up while the machine is idle; the request is what others are protected by.
    CKV_K8S_11
    # Images are named by version or digest, which never change; to pull at each start would let starts depend on the registry.
    CKV_K8S_15
    # Which digest it is, is known to whoever built the image: image.digest takes it.
    CKV_K8S_43
)
# Pods that run once and end have nothing to be probed for.
ignored_of_tests=(CKV_K8S_8 CKV_K8S_9)

# scan DIRECTORY KIND ID...: all checks of that kind of files but those.
scan() {
    local directory="$1" kind="$2" skipped
    shift 2
    skipped="$(IFS=,; echo "$*")"
    "$TOOLS/checkov/bin/python" "$TOOLS/checkov/bin/checkov" --directory "$directory" --framework "$kind" --skip-check "$skipped" \
        --compact --quiet --skip-download --output json >"$directory.json" || true
    "$PYTHON" - "$directory.json" <<'PYTHON'
import json
import sys

report = json.load(open(sys.argv[1]))
if "summary" not in report or report["summary"]["parsing_errors"] or not report["summary"]["resource_count"]:
    sys.exit(f"error: checkov looked at nothing: {json.dumps(report)[:500]}")
for check in report["results"]["failed_checks"]:
    print(f"error: {check['check_id']} {check['check_name']}: {check['resource']} in {check['file_path']}", file=sys.stderr)
if report["results"]["failed_checks"]:
    sys.exit("error: mend it, or say in scripts/chart/scan.sh why it may stay")
print(f"{report['summary']['passed']} checks passed on {report['summary']['resource_count']} objects, none failed")
PYTHON
}

scan "$1" kubernetes "${ignored[@]}"
scan "$2" kubernetes "${ignored[@]}" "${ignored_of_tests[@]}"
mkdir "$1-image"
cp "$ROOT/Dockerfile" "$1-image"
scan "$1-image" dockerfile

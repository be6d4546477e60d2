#!/usr/bin/env bash
# Everything that can be checked of the chart without a cluster. Needs `tools.sh chart` to have run. The service's program is the one that
# `make test` leaves, or that CHATBRIDGE_BIN names; without either it is built.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

CHART="helm/chatbridge"
HELM4="$TOOLS/bin/helm4"
HELM3="$TOOLS/bin/helm3"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
# Nothing of this user's Helm, nor of a cluster that they are at.
export HELM_CACHE_HOME="$scratch/cache" HELM_CONFIG_HOME="$scratch/config" HELM_DATA_HOME="$scratch/data" KUBECONFIG="$scratch/none"

# conform FILE VERSION: the objects against the schemas of that Kubernetes, and of custom resources. An object without a schema fails.
conform() {
    "$TOOLS/bin/kubeconform" -strict -kubernetes-version "$2" \
        -schema-location "$TOOLS/kubernetes/{{.NormalizedKubernetesVersion}}/{{.ResourceKind}}{{.KindSuffix}}.json" \
        -schema-location "$TOOLS/kubernetes/crds/{{.Group}}/{{.ResourceKind}}-{{.ResourceAPIVersion}}.json" "$1"
}

section "Values, schema and README say the same"
"$PYTHON" scripts/chart/generate.py --check
version="$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)"
[ "$(grep -cE "^(version: $version|appVersion: \"$version\")$" "$CHART/Chart.yaml")" = 2 ] ||
    stop "$CHART/Chart.yaml has not the version of Cargo.toml, $version, as version and appVersion"

section "What the chart knows of the service"
"$PYTHON" scripts/chart/known.py

for values in "$CHART"/ci/*.yaml; do
    name="$(basename "$values" .yaml)"
    for helm in "$HELM4" "$HELM3"; do
        section "$name with $(basename "$helm")"
        for kubernetes in "${KUBERNETES_VERSIONS[@]}"; do
            "$helm" lint --strict --quiet "$CHART" --kube-version "$kubernetes" --values "$values"
            rendered="$scratch/$name-$(basename "$helm").yaml"
            "$helm" template release "$CHART" --namespace chat --kube-version "$kubernetes" --values "$values" >"$rendered"
            conform "$rendered" "$kubernetes"
        done
        echo "$(grep -c '^kind:' "$rendered") objects, valid in Kubernetes ${KUBERNETES_VERSIONS[*]}"
    done
done

section "Wrong values are refused"
"$PYTHON" scripts/chart/refused.py "$HELM4" "$HELM3"

section "Which changes need new pods"
"$PYTHON" scripts/chart/restarts.py "$HELM4"

section "Alerts and dashboard"
"$PYTHON" scripts/chart/carried.py "$HELM4"

section "The service takes what the chart makes"
program="${CHATBRIDGE_BIN:-$(service_binary)}"
if [ ! -x "$program" ]; then
    have cargo || stop "$program is not there, nor cargo to build it; set CHATBRIDGE_BIN to the service's program"
    cargo build --locked --quiet --bin chatbridge
fi
"$PYTHON" scripts/chart/accepted.py "$HELM4" "$program"

section "Unit tests of the templates"
"$TOOLS/bin/helm-unittest" "$CHART"

section "kube-score"
scripts/chart/score.sh "$scratch"/*-helm4.yaml

section "checkov"
for values in "$CHART"/ci/*.yaml; do
    name="$(basename "$values" .yaml)"
    mkdir -p "$scratch"/{release,tests}
    template=("$HELM4" template release "$CHART" --namespace chat --kube-version "$kubernetes" --values "$values")
    "${template[@]}" --no-hooks >"$scratch/release/$name.yaml"
    "${template[@]}" --show-only templates/tests.yaml --show-only templates/networkpolicy.yaml >"$scratch/tests/$name.yaml"
done
scripts/chart/scan.sh "$scratch/release" "$scratch/tests"

section "The chart is right"

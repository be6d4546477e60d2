#!/usr/bin/env bash
# Builds what checks the chart, into .tools; called by scripts/tools.sh. Everything comes from the Go module proxy, but checkov.
#
#   tools.sh chart        Helm 4 and 3, kubeconform, helm-unittest, kube-score, checkov, and schemas of Kubernetes
#   tools.sh chart-api    etcd and kube-apiserver as well
set -euo pipefail
source "$(dirname "$0")/../lib.sh"

HELM4_VERSION="v4.3.2"
HELM3_VERSION="v3.22.0"
KUBECONFORM_VERSION="v0.8.0"
HELM_UNITTEST_VERSION="v1.1.2"
KUBE_SCORE_VERSION="v1.20.0"
GATEWAY_API="sigs.k8s.io/gateway-api@v1.6.3"
PROMETHEUS_OPERATOR="github.com/prometheus-operator/prometheus-operator@v0.85.0"
CERT_MANAGER="github.com/cert-manager/cert-manager@v1.21.2"
EXTERNAL_SECRETS="github.com/external-secrets/external-secrets@v1.3.2"
ETCD_VERSION="v3.7.0"

# go_tool NAME MODULE VERSION PACKAGE [REPLACEMENT]: has that version of a program of Go in .tools/bin, under that name. A module that
# replaces another cannot be installed by its name, so it is built from a module that replaces it likewise.
go_tool() {
    local module="$2" version="$3" program="$TOOLS/bin/$1" package="$2/$4" replacement="${5:-}" built
    if [ -x "$program" ] && go version -m "$program" | grep -qF "$(printf '\t%s\t%s\t' "$module" "$version")"; then
        return
    fi
    section "Building $module $version into .tools/bin"
    mkdir -p "$TOOLS/bin"
    built="$(mktemp -d)"
    (
        cd "$built"
        go mod init chart.tools
        [ -z "$replacement" ] || go mod edit -replace="$replacement"
        go get "$package@$version"
        go build -ldflags "-s -w" -o "$program" "$package"
    ) >"$built.log" 2>&1 || stop "$module $version cannot be built: $(tail -n 5 "$built.log")"
    rm -rf "$built" "$built.log"
}

# go_module MODULE@VERSION: where its files are.
go_module() {
    (cd / && go mod download -json "$1" | "$PYTHON" -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')
}

# The schemas that objects are checked against: Kubernetes' own from its OpenAPI file, others' from their definitions.
kubernetes_schemas() {
    local schemas="$TOOLS/kubernetes" wanted sources=() version gateway monitoring cert_manager external_secrets
    wanted="$(printf '%s\n' "${KUBERNETES_VERSIONS[@]}" "$GATEWAY_API" "$PROMETHEUS_OPERATOR" "$CERT_MANAGER" "$EXTERNAL_SECRETS"
        cat "$ROOT/scripts/chart/schemas.py" "$ROOT/scripts/chart/tools.sh")"
    if [ -f "$schemas/stamp" ] && [ "$(cat "$schemas/stamp")" = "$wanted" ]; then
        return
    fi
    section "Schemas of Kubernetes ${KUBERNETES_VERSIONS[*]} and of custom resources"
    rm -rf "$schemas"
    for version in "${KUBERNETES_VERSIONS[@]}"; do
        sources+=("v$version=$(go_module "k8s.io/kubernetes@v$version")/api/openapi-spec/swagger.json")
    done
    gateway="$(go_module "$GATEWAY_API")/config/crd/standard"
    monitoring="$(go_module "$PROMETHEUS_OPERATOR")/example/prometheus-operator-crd"
    cert_manager="$(go_module "$CERT_MANAGER")/deploy/crds"
    external_secrets="$(go_module "$EXTERNAL_SECRETS")/config/crds/bases"
    sources+=("$gateway"/gateway.networking.k8s.io_{httproutes,grpcroutes,backendtlspolicies}.yaml
        "$monitoring"/monitoring.coreos.com_{servicemonitors,prometheusrules}.yaml
        "$cert_manager/cert-manager.io_certificates.yaml" "$external_secrets/external-secrets.io_externalsecrets.yaml")
    "$PYTHON" "$ROOT/scripts/chart/schemas.py" "$schemas" "${sources[@]}"
    mkdir "$schemas/definitions"
    cp "${sources[@]:${#KUBERNETES_VERSIONS[@]}}" "$schemas/definitions"
    printf '%s\n' "$wanted" >"$schemas/stamp"
}

# In an environment of its own, since it pins much that others use.
checkov() {
    local lock="$ROOT/scripts/chart/requirements.txt" environment="$TOOLS/checkov" wanted
    wanted="$(printf '%s\n' "$ROOT"; python3 -V; cat "$lock")"
    if [ -f "$environment/stamp" ] && [ "$(cat "$environment/stamp")" = "$wanted" ]; then
        return
    fi
    section "Installing checkov into .tools/checkov"
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"
    printf '%s\n' "$wanted" >"$environment/stamp"
}

chart() {
    go_tool kubeconform github.com/yannh/kubeconform "$KUBECONFORM_VERSION" cmd/kubeconform
    go_tool helm4 helm.sh/helm/v4 "$HELM4_VERSION" cmd/helm
    go_tool helm3 helm.sh/helm/v3 "$HELM3_VERSION" cmd/helm
    go_tool helm-unittest github.com/helm-unittest/helm-unittest "$HELM_UNITTEST_VERSION" cmd/helm-unittest \
        github.com/vmware-labs/yaml-jsonpath@v0.3.2=github.com/helm-unittest/yaml-jsonpath@v0.4.0
    go_tool kube-score github.com/zegl/kube-score "$KUBE_SCORE_VERSION" cmd/kube-score
    checkov
    kubernetes_schemas
}

# etcd and an API server, of the newest of the versions. Kubernetes' parts are modules of their own, which its module looks for beside
# itself; where it comes from, they are under versions that go with it.
api() {
    local version="${KUBERNETES_VERSIONS[-1]}" bin="$TOOLS/kubernetes-api" built source part
    if [ -f "$bin/stamp" ] && [ "$(cat "$bin/stamp")" = "$version $ETCD_VERSION" ]; then
        return
    fi
    section "Building etcd $ETCD_VERSION and kube-apiserver $version into .tools/kubernetes-api"
    rm -rf "$bin"
    mkdir -p "$bin"
    built="$(mktemp -d)"
    source="$(go_module "k8s.io/kubernetes@v$version")"
    (
        cd "$built"
        go mod init chart.api
        go mod edit -require="k8s.io/kubernetes@v$version"
        for part in $(sed -n 's|^\t\(k8s.io/[a-z-]*\) => ./staging.*|\1|p' "$source/go.mod"); do
            go mod edit -replace="$part=$part@v0.${version#1.}"
        done
        go get "k8s.io/kubernetes/cmd/kube-apiserver@v$version" "go.etcd.io/etcd/server/v3@$ETCD_VERSION"
        go build -ldflags "-s -w" -o "$bin/etcd" go.etcd.io/etcd/server/v3
        # Without these it says v0.0.0, for which Helm takes no chart.
        go build -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v$version" \
            -o "$bin/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver
    ) >"$built.log" 2>&1 || stop "kube-apiserver $version cannot be built: $(tail -n 5 "$built.log")"
    rm -rf "$built" "$built.log"
    printf '%s\n' "$version $ETCD_VERSION" >"$bin/stamp"
}

case "${1:-}" in
chart) chart ;;
chart-api)
    chart
    api
    ;;
*) stop "usage: tools.sh chart | chart-api" ;;
esac

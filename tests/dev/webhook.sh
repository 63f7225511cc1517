# shellcheck shell=bash
# The webhook as a process beside a local cluster, for the demo, ./dev run and the end-to-end tests. Sourced.
# shellcheck source=tests/dev/kube.sh
source "$(dirname "${BASH_SOURCE[0]}")/kube.sh"
# shellcheck source=tests/dev/process.sh
source "$WM_ROOT/tests/dev/process.sh"
# shellcheck source=tests/cluster/pki.sh
source "$WM_ROOT/tests/cluster/pki.sh"

WEBHOOK=${WAYMARK_WEBHOOK:-$WM_BUILD/release/webhook/waymark-webhook}

# start_webhook DIR [FLAG...]: the one place that knows the webhook's flags. Starts it as process "webhook" of DIR, on
# $WEBHOOK_ADDRESS:$WEBHOOK_PORT, for the cluster of $KUBECONFIG; health and metrics in the clear on
# 127.0.0.1:$WEBHOOK_HEALTH_PORT. It serves the pair in DIR/tls unless a FLAG gives another --tls-mode.
start_webhook() {
    local dir=$1
    shift
    local -a flags=(--listen "$WEBHOOK_ADDRESS:$WEBHOOK_PORT" --health-listen "127.0.0.1:$WEBHOOK_HEALTH_PORT"
        --kubeconfig "$KUBECONFIG" --namespace waymark)
    [[ "$*" == *--tls-mode* ]] || flags+=(--tls-mode files --tls-dir "$dir/tls")
    [[ "$*" == *--drain-s* ]] || flags+=(--drain-s 1)
    spawn "$dir" webhook "$WEBHOOK" serve "${flags[@]}" "$@"
}

webhook_ready() { curl -sS --fail --noproxy '*' --max-time 2 "http://127.0.0.1:$WEBHOOK_HEALTH_PORT/readyz"; }

# webhook_prepare DIR CLUSTER: chooses address and ports, makes certificates and the namespace; sets WEBHOOK_*
webhook_prepare() {
    local dir=$1 services
    services=$(bash "$WM_ROOT/tests/cluster/cluster.sh" env "$2" | sed -n 's/^SERVICES=//p')
    WEBHOOK_ADDRESS=$services.10
    WEBHOOK_PORT=8443
    WEBHOOK_HEALTH_PORT=$(free_port)
    mkdir -p "$dir/tls"
    new_ca "$dir/webhook-ca" waymark-webhook-ca
    new_certificate "$dir/webhook-ca" "$dir/tls/tls" /CN=waymark-webhook \
        DNS:waymark-webhook.waymark.svc DNS:waymark-webhook.waymark.svc.cluster.local
    kubectl get namespace waymark >/dev/null 2>&1 || kubectl create namespace waymark >/dev/null
    printf '%s=%q\n' WEBHOOK_ADDRESS "$WEBHOOK_ADDRESS" WEBHOOK_PORT "$WEBHOOK_PORT" \
        WEBHOOK_HEALTH_PORT "$WEBHOOK_HEALTH_PORT" >"$dir/webhook.env"
}

# register_webhook DIR: tells the API server about the webhook; $FAILURE_POLICY is Ignore unless set
register_webhook() {
    render "$WM_ROOT/tests/dev/webhook.yaml" ADDRESS="$WEBHOOK_ADDRESS" PORT="$WEBHOOK_PORT" \
        FAILURE_POLICY="${FAILURE_POLICY:-Ignore}" CA_BUNDLE="$(base64 -w0 "$1/webhook-ca.crt")" |
        kubectl apply -f - >/dev/null
}

# webhook_up DIR CLUSTER [FLAG...]: all of it; returns when the API server calls the webhook
webhook_up() {
    local dir=$1 cluster=$2
    shift 2
    [[ -x $WEBHOOK ]] || die "$WEBHOOK is not there; ./dev build --preset release makes it"
    webhook_prepare "$dir" "$cluster"
    start_webhook "$dir" "$@"
    if ! eventually 15 webhook_ready >/dev/null; then
        tail -n 20 "$dir/webhook.log" >&2
        die 'the webhook did not become ready'
    fi
    register_webhook "$dir"
    # The API server reads the new configurations a moment later; a dry run shows when.
    eventually 15 webhook_called || die 'the API server does not call the webhook'
}

# webhook_called: a migration that is created now would get its label; creates nothing
webhook_called() {
    kubectl get namespace openshift-migration >/dev/null 2>&1 || kubectl create namespace openshift-migration >/dev/null
    kubectl create --dry-run=server -f "$WM_ROOT/tests/demo/objects/migration.yaml" -o json |
        jq -e '.metadata.labels["migration.openshift.io/migplan-name"] == "nginx-plan"'
}

# shellcheck shell=bash
# The webhook as a process beside a local cluster, for the demo, ./dev run and the end-to-end tests: registered by the
# project's own manifests, with the rights that they give it, called through its Service. Sourced.
# shellcheck source=tests/dev/kube.sh
source "$(dirname "${BASH_SOURCE[0]}")/kube.sh"
# shellcheck source=tests/dev/process.sh
source "$WM_ROOT/tests/dev/process.sh"
# shellcheck source=tests/cluster/pki.sh
source "$WM_ROOT/tests/cluster/pki.sh"

WEBHOOK=${WAYMARK_WEBHOOK:-$WM_BUILD/release/webhook/waymark-webhook}
# Where its certificate comes from: self, as in production, or files, made here.
WEBHOOK_TLS=${WEBHOOK_TLS:-self}

# start_webhook DIR [FLAG...]: the one place that knows the webhook's flags. Starts it as process "webhook" of DIR on
# $WEBHOOK_ADDRESS:$WEBHOOK_PORT, for the cluster of DIR/webhook.kubeconfig; health and metrics in the clear on
# 127.0.0.1:$WEBHOOK_HEALTH_PORT.
start_webhook() {
    local dir=$1
    shift
    local -a flags=(--listen "$WEBHOOK_ADDRESS:$WEBHOOK_PORT" --health-listen "127.0.0.1:$WEBHOOK_HEALTH_PORT"
        --kubeconfig "$dir/webhook.kubeconfig" --namespace waymark --tls-mode "$WEBHOOK_TLS")
    [[ $WEBHOOK_TLS != files ]] || flags+=(--tls-dir "$dir/tls")
    [[ "$*" == *--drain-s* ]] || flags+=(--drain-s 1)
    spawn "$dir" webhook "$WEBHOOK" serve "${flags[@]}" "$@"
}

webhook_ready() { curl -sS --fail --noproxy '*' --max-time 2 "http://127.0.0.1:$WEBHOOK_HEALTH_PORT/readyz"; }

# webhook_prepare DIR CLUSTER: namespace, rights and credentials; chooses address and ports and sets WEBHOOK_*
webhook_prepare() {
    local dir=$1 services base=$WM_ROOT/manifests/base token
    services=$(bash "$WM_ROOT/tests/cluster/cluster.sh" env "$2" | sed -n 's/^SERVICES=//p')
    WEBHOOK_ADDRESS=$services.10
    WEBHOOK_PORT=8443 # the Service's port 443 is for root alone to listen on
    WEBHOOK_HEALTH_PORT=$(free_port)
    printf '%s=%q\n' WEBHOOK_ADDRESS "$WEBHOOK_ADDRESS" WEBHOOK_PORT "$WEBHOOK_PORT" \
        WEBHOOK_HEALTH_PORT "$WEBHOOK_HEALTH_PORT" >"$dir/webhook.env"
    if [[ $WEBHOOK_TLS == files ]]; then
        mkdir -p "$dir/tls"
        new_ca "$dir/webhook-ca" waymark-webhook-ca
        new_certificate "$dir/webhook-ca" "$dir/tls/tls" /CN=waymark-webhook DNS:waymark-webhook.waymark.svc
    fi
    kubectl apply -f "$base/namespace.yaml" >/dev/null
    kubectl apply -n waymark -f "$base/rbac.yaml" >/dev/null
    # Its own service account's token, so that it has no right that the manifests do not give.
    token=$(kubectl create -f - --raw /api/v1/namespaces/waymark/serviceaccounts/waymark-webhook/token \
        <<<'{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":86400}}' |
        jq -r .status.token)
    (
        umask 077
        kubectl config view --raw --minify -o json | jq --arg token "$token" '.users[0].user = {token: $token}' \
            >"$dir/webhook.kubeconfig"
    )
}

# register_webhook DIR: tells the API server about it. The manifests as they are, but for the address and port of the
# Service, and $FAILURE_POLICY where it is set.
register_webhook() {
    local ca='' base=$WM_ROOT/manifests/base
    [[ $WEBHOOK_TLS != files ]] || ca=$(base64 -w0 "$1/webhook-ca.crt")
    kubectl create -n waymark --dry-run=client -o json -f "$base/service.yaml" |
        jq --arg ip "$WEBHOOK_ADDRESS" --argjson port "$WEBHOOK_PORT" \
            '.spec.clusterIP = $ip | .spec.ports[0].port = $port' | kubectl apply -f - >/dev/null
    kubectl create --dry-run=client -o json -f "$base/webhook.yaml" |
        jq --arg ca "$ca" --argjson port "$WEBHOOK_PORT" --arg policy "${FAILURE_POLICY:-}" '
            .webhooks[] |= (.clientConfig.service.port = $port
                | if $ca != "" then .clientConfig.caBundle = $ca else . end
                | if $policy != "" then .failurePolicy = $policy else . end)' | kubectl apply -f - >/dev/null
}

# webhook_up DIR CLUSTER [FLAG...]: all of it; returns when the API server calls the webhook
webhook_up() {
    local dir=$1 cluster=$2
    shift 2
    [[ -x $WEBHOOK ]] || die "$WEBHOOK is not there; ./dev build --preset release makes it"
    webhook_prepare "$dir" "$cluster"
    register_webhook "$dir"
    start_webhook "$dir" "$@"
    if ! eventually 20 webhook_ready || ! eventually 20 webhook_called; then
        tail -n 20 "$dir/webhook.log" >&2
        die 'the webhook did not become ready, or the API server does not call it'
    fi
}

# webhook_called: a migration that is created now would get its label; creates nothing
webhook_called() {
    kubectl get namespace openshift-migration >/dev/null 2>&1 || kubectl create namespace openshift-migration >/dev/null
    kubectl create --dry-run=server -f "$WM_ROOT/tests/demo/objects/migration.yaml" -o json |
        jq -e '.metadata.labels["migration.openshift.io/migplan-name"] == "nginx-plan"'
}

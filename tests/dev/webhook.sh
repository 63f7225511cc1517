# shellcheck shell=bash
# The webhook as a process beside a local cluster, for the demo and the end-to-end tests: installed by the manifests that
# an operator applies, running with the rights of its ServiceAccount and no others, called through its Service. Sourced.
# shellcheck source=tests/dev/kube.sh
source "$(dirname "${BASH_SOURCE[0]}")/kube.sh"
# shellcheck source=tests/dev/process.sh
source "$WM_ROOT/tests/dev/process.sh"
# shellcheck source=tests/cluster/pki.sh
source "$WM_ROOT/tests/cluster/pki.sh"

WEBHOOK=${WAYMARK_WEBHOOK:-$WM_BUILD/release/webhook/waymark-webhook}

# manifests_for_server: the base, with what overlays/kubernetes-1.16 changes where the server of $KUBECONFIG is that old.
# Not by the overlay itself: Debian's kubectl 1.20 has a kustomize that cannot read it.
manifests_for_server() {
    local minor budget=policy/v1
    minor=$(kubectl version -o json 2>/dev/null | jq -r '.serverVersion.minor' | tr -cd 0-9)
    ((minor >= 21)) || budget=policy/v1beta1
    kubectl kustomize "$WM_ROOT/manifests/base" | sed "s#^apiVersion: policy/v1\$#apiVersion: $budget#"
}

# install_manifests: applies them with what a machine without kubelet and kube-proxy needs: no pods, and a Service whose
# address is where the process listens. $FAILURE_POLICY replaces the webhooks' own when it is set.
install_manifests() {
    manifests_for_server | kubectl create --dry-run=client -o json -f - |
        jq -s --arg address "$WEBHOOK_ADDRESS" --argjson port "$WEBHOOK_PORT" --arg policy "${FAILURE_POLICY:-}" '
            {apiVersion: "v1", kind: "List", items: [.[] | (.items // [.])[] |
                if .kind == "Deployment" then .spec.replicas = 0
                elif .kind == "Service" then .spec.clusterIP = $address | .spec.ports[0].port = $port
                elif .kind | test("WebhookConfiguration$") then
                    .webhooks[].clientConfig.service.port = $port
                    | if $policy != "" then .webhooks[].failurePolicy = $policy else . end
                else . end]}' |
        kubectl apply -f - >/dev/null
}

# service_account_kubeconfig FILE [NAME]: a kubeconfig of the webhook's ServiceAccount, or of another in namespace waymark;
# its token in a file beside it
service_account_kubeconfig() {
    local file=$1 name=${2:-} server ca
    server=$(kubectl config view --raw -o jsonpath='{.clusters[0].cluster.server}')
    ca=$(kubectl config view --raw -o jsonpath='{.clusters[0].cluster.certificate-authority-data}')
    [[ -n $ca ]] || ca=$(base64 -w0 "$(kubectl config view --raw -o jsonpath='{.clusters[0].cluster.certificate-authority}')")
    (umask 077 && service_account_token ${name:+"$name"} >"$file.token")
    cat >"$file" <<END
apiVersion: v1
kind: Config
current-context: waymark
contexts: [{name: waymark, context: {cluster: waymark, user: waymark, namespace: waymark}}]
clusters: [{name: waymark, cluster: {server: "$server", certificate-authority-data: "$ca"}}]
users: [{name: waymark, user: {tokenFile: "$file.token"}}]
END
}

# service_account_token [NAME]: a fresh one, by the request that kubelets make (kubectl create token is too new here)
service_account_token() {
    kubectl create --raw /api/v1/namespaces/waymark/serviceaccounts/"${1:-waymark-webhook}"/token -f - \
        <<<'{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":7200}}' |
        jq -er '.status.token'
}

# start_webhook DIR NAME [FLAG...]: one replica as process NAME of DIR, for what webhook_prepare chose; its health port in
# $WEBHOOK_HEALTH_PORT
start_webhook() {
    local dir=$1 name=$2
    shift 2
    spawn "$dir" "$name" "$WEBHOOK" serve --listen "$WEBHOOK_ADDRESS:$WEBHOOK_PORT" \
        --health-listen "127.0.0.1:$WEBHOOK_HEALTH_PORT" --kubeconfig "$dir/webhook.kubeconfig" --namespace waymark \
        --config "$dir/config.yaml" "$@"
}

webhook_get() { curl -sS --fail --noproxy '*' --max-time 2 "http://127.0.0.1:${2:-$WEBHOOK_HEALTH_PORT}/$1"; }
webhook_ready() { webhook_get readyz "$@"; }

# webhook_metric NAME_WITH_LABELS [HEALTH_PORT]: one number
webhook_metric() { webhook_get metrics "${2:-$WEBHOOK_HEALTH_PORT}" | awk -v name="$1" '$1 == name { print $2; found = 1 } END { exit !found }'; }

# webhook_prepare DIR CLUSTER: chooses address and ports, installs the manifests, makes the kubeconfig and the configuration
# file, the ConfigMap's or $WEBHOOK_CONFIG; sets WEBHOOK_*
webhook_prepare() {
    local dir=$1 services
    services=$(bash "$WM_ROOT/tests/cluster/cluster.sh" env "$2" | sed -n 's/^SERVICES=//p')
    WEBHOOK_ADDRESS=$services.10
    WEBHOOK_PORT=8443
    WEBHOOK_HEALTH_PORT=$(free_port)
    install_manifests
    eventually 20 service_account_token >/dev/null
    service_account_kubeconfig "$dir/webhook.kubeconfig"
    if [[ -n ${WEBHOOK_CONFIG:-} ]]; then
        printf '%s' "$WEBHOOK_CONFIG" >"$dir/config.yaml"
    else
        kubectl get configmap waymark-webhook-config -n waymark -o jsonpath='{.data.config\.yaml}' >"$dir/config.yaml"
    fi
    printf '%s=%q\n' WEBHOOK_ADDRESS "$WEBHOOK_ADDRESS" WEBHOOK_PORT "$WEBHOOK_PORT" \
        WEBHOOK_HEALTH_PORT "$WEBHOOK_HEALTH_PORT" >"$dir/webhook.env"
}

# webhook_up DIR CLUSTER [FLAG...]: all of it; returns when the API server calls the webhook
webhook_up() {
    local dir=$1 cluster=$2
    shift 2
    [[ -x $WEBHOOK ]] || die "$WEBHOOK is not there; ./dev build --preset release makes it"
    webhook_prepare "$dir" "$cluster"
    start_webhook "$dir" webhook "$@"
    if ! eventually 15 webhook_ready >/dev/null; then
        tail -n 20 "$dir/webhook.log" >&2
        die 'the webhook did not become ready'
    fi
    # The API server reads the new configuration and its caBundle a moment later; a dry run shows when.
    eventually 30 webhook_called || die 'the API server does not call the webhook'
}

# webhook_called: a migration that is created now would get its label, and a hook that cannot work is denied; creates nothing
webhook_called() {
    kubectl get namespace openshift-migration >/dev/null 2>&1 || kubectl create namespace openshift-migration >/dev/null
    labels_called && validation_called
}
# As mig-controller, whom no rule holds up: the plan need not be there.
labels_called() {
    sed 's/ name: migration-aaaaa/ generateName: probe-/' "$WM_ROOT/tests/demo/objects/migration.yaml" |
        kubectl create --dry-run=server -f - -o json \
            --as=system:serviceaccount:openshift-migration:migration-controller --as-group=system:masters |
        jq -e '.metadata.labels["migration.openshift.io/migplan-name"] == "nginx-plan"'
}
# By a denial: of several replicas any may answer.
validation_called() {
    local said
    ! said=$(kubectl create --dry-run=server -f - 2>&1 <<'END'
apiVersion: migration.openshift.io/v1alpha1
kind: MigHook
metadata: {generateName: probe-, namespace: openshift-migration}
spec: {custom: true, image: quay.io/konveyor/hook-runner, targetCluster: nowhere}
END
    ) && [[ $said == *hook/target-cluster* ]]
}

# shellcheck shell=bash
# ./dev run: the webhook on this machine for a cluster that is already there, registered by URL.

PLAN_KEY=migration.openshift.io/migplan-name

registrations() { kubectl get mutatingwebhookconfigurations -o name | grep -c waymark-run- || true; }
registered() { [[ $(registrations) == "$1" ]]; }
labelled() {
    kubectl create --dry-run=server -o json -f - <<END | jq -e ".metadata.labels[\"$PLAN_KEY\"] == \"by-url\""
apiVersion: migration.openshift.io/v1alpha1
kind: MigMigration
metadata: {generateName: probe-, namespace: $NAMESPACE}
spec: {migPlanRef: {name: by-url, namespace: $NAMESPACE}, stage: false}
END
}

# run registers by URL, labels what is created, and unregisters when it is interrupted
test_run() {
    local run
    use_cluster run
    apply_crds "$WM_ROOT/tests/crds"
    operator_namespace
    set -m
    "$WM_ROOT/dev" run --kubeconfig "$KUBECONFIG" >"$E2E_TEST_DIR/run.log" 2>&1 </dev/null &
    run=$!
    set +m
    eventually 30 registered 1
    eventually 20 labelled
    kill -INT -- "-$run"
    wait "$run" || true
    assert_eq 0 "$(registrations)" 'registrations left'
    ! pgrep -f "waymark-run-.*/tls" >/dev/null || fail 'the webhook still runs'
    assert_contains Unregistered "$(<"$E2E_TEST_DIR/run.log")"
}

# a kubeconfig that leads nowhere is said at once, and nothing is left
test_unreachable() {
    sed 's#https://127.0.0.1:[0-9]*#https://127.0.0.1:1#' "$KUBECONFIG" >"$E2E_TEST_DIR/kubeconfig"
    assert_contains 'does not answer' "$(refused "$WM_ROOT/dev" run --kubeconfig "$E2E_TEST_DIR/kubeconfig")"
}

# shellcheck shell=bash
# ./dev run: both programs on this machine for a cluster that is already there, the webhook registered by URL.

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

# create_migration NAME: one that runs
create_migration() {
    kubectl create -f - <<END >/dev/null
apiVersion: migration.openshift.io/v1alpha1
kind: MigMigration
metadata: {name: $1, namespace: $NAMESPACE}
spec: {migPlanRef: {name: some, namespace: $NAMESPACE}, stage: true}
status: {phase: WaitForRefresh, itinerary: Stage}
END
}
reported() { [[ $(kubectl get migrationreport "$1" -n "$NAMESPACE" -o jsonpath='{.status.phase}') == "$2" ]]; }
# start_run OPTION...: ./dev run for the cluster, its process group in $run and its output in run.log
start_run() {
    set -m
    "$WM_ROOT/dev" run --kubeconfig "$KUBECONFIG" "$@" >"$E2E_TEST_DIR/run.log" 2>&1 </dev/null &
    run=$!
    set +m
}
shown() { grep -qF "$1" "$E2E_TEST_DIR/run.log"; }
# interrupt_run: Ctrl-C; nothing of it may be left
interrupt_run() {
    kill -INT -- "-$run"
    wait "$run" || true
    assert_eq 0 "$(registrations)" 'registrations left'
    ! pgrep -f "waymark-(webhook|aggregator) .*$KUBECONFIG" >/dev/null || fail 'a program still runs'
}
# cluster_for_run: one of this case's own, without the definition of MigrationReports
cluster_for_run() {
    use_cluster run
    apply_crds "$WM_ROOT/tests/crds"
    kubectl delete crd migrationreports.waymark.io --ignore-not-found >/dev/null
    operator_namespace
}

# run registers the webhook by URL, labels what is created, and unregisters when it is interrupted
test_run() {
    local run
    cluster_for_run
    start_run
    eventually 30 registered 1
    eventually 20 labelled
    eventually 20 shown 'webhook: {'
    eventually 20 shown 'aggregator: {'
    interrupt_run
    shown Unregistered
}

# the aggregator alone: it installs the definition of MigrationReports, and reports
test_without_webhook() {
    local run said
    cluster_for_run
    start_run --without-webhook --remote "source=$KUBECONFIG"
    create_migration watched
    eventually 30 reported watched WaitForRefresh
    assert_eq 0 "$(registrations)" 'registrations of an aggregator alone'
    interrupt_run
    said=$(<"$E2E_TEST_DIR/run.log")
    assert_contains 'Installed the definition migrationreports.waymark.io' "$said"
    kubectl get crd migrationreports.waymark.io >/dev/null # it stays
    assert_contains '"cluster":"source"' "$said"
}

# the webhook alone needs no definition, and nothing at all is refused
test_without_aggregator() {
    local run
    cluster_for_run
    start_run --without-aggregator
    eventually 30 registered 1
    interrupt_run
    absent crd migrationreports.waymark.io || fail 'the definition was installed'
    assert_contains 'nothing to run' "$(refused "$WM_ROOT/dev" run --without-webhook --without-aggregator)"
    assert_contains 'NAME=FILE' "$(refused "$WM_ROOT/dev" run --remote source)"
}

# where another aggregator leads, this one writes nothing
test_stands_by() {
    local run
    cluster_for_run
    kubectl create namespace waymark >/dev/null
    kubectl create -f - <<END >/dev/null
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: waymark-aggregator, namespace: waymark}
spec: {holderIdentity: another, leaseDurationSeconds: 3600, renewTime: "$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)"}
END
    create_migration passed-by
    start_run --without-webhook
    eventually 30 shown 'this one only watches'
    eventually 20 shown 'Watching migrations'
    sleep 3
    absent migrationreport passed-by || fail 'it wrote a report'
    interrupt_run
}

# a kubeconfig that leads nowhere is said at once, and nothing is left
test_unreachable() {
    sed 's#https://127.0.0.1:[0-9]*#https://127.0.0.1:1#' "$KUBECONFIG" >"$E2E_TEST_DIR/kubeconfig"
    assert_contains 'does not answer' "$(refused "$WM_ROOT/dev" run --kubeconfig "$E2E_TEST_DIR/kubeconfig")"
}

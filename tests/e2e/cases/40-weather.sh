# shellcheck shell=bash
# Bad weather: API servers and replicas that come and go. The webhook's own cluster, so that nobody else notices.

PLAN_KEY=migration.openshift.io/migplan-name
RULES_PATH=/apis/migration.openshift.io/v1alpha1/namespaces/openshift-migration/migmigrations

case_begin() {
    use_cluster weather
    apply_crds "$WM_ROOT/tests/crds"
    # what is created here is load, and no migration that could work: its rules are off, or each create would have all the
    # migrations before it looked up
    WEBHOOK_CONFIG=$'validation:\n  modes:\n  - {rules: ["migration/*"], mode: "off"}\n' FAILURE_POLICY=Fail \
        webhook_up "$E2E_CASE_DIR" "$E2E_NAME-weather" --drain-s 1
}
weather() {
    use_cluster weather
    # shellcheck disable=SC1091
    source "$E2E_CASE_DIR/webhook.env"
}
review() { # asks the webhook directly, as the API server would
    local body=$WM_ROOT/tests/golden/admission
    jq -c '{kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", request: {uid: "u-1", operation: "CREATE",
        kind: {group: (.object.apiVersion | split("/")[0]), version: "v1", kind: .object.kind},
        namespace: "openshift-migration", object: .object}}' "$body/$1.json" |
        curl -ksS --noproxy '*' --max-time 5 -H 'Content-Type: application/json' --data-binary @- \
            "https://$WEBHOOK_ADDRESS:$WEBHOOK_PORT/mutate?timeout=2s"
}
# parents_are RESOURCE STATE
parents_are() { webhook_get readyz | grep -q "parents $1: $2"; }

# while the API server is gone the webhook serves, labels what needs no parent, says so, and recovers by itself
test_api_server_gone() {
    weather
    eventually 20 parents_are migmigrations synced
    cluster stop "$E2E_NAME-weather"
    assert_eq true "$(review migmigration-create | jq .response.allowed)"
    assert_contains migplan-name "$(review migmigration-create | jq -r '.response.patch | @base64d')"
    assert_eq '"unknown-parent"' "$(review pvb-from-backup | jq '.response.auditAnnotations.outcome')"
    eventually 60 parents_are migmigrations unreachable
    assert_contains 'readyz check passed' "$(webhook_get readyz)"
    cluster start "$E2E_NAME-weather"
    eventually 60 parents_are migmigrations synced
    eventually 30 webhook_called
}

# a webhook that starts without an API server serves all the same, with its Secret as it was mounted
test_start_without_api_server() {
    local HEALTH PORT
    weather
    HEALTH=$(free_port) PORT=$(free_port)
    mkdir -p "$E2E_TEST_DIR/tls"
    new_ca "$E2E_TEST_DIR/ca" test
    new_certificate "$E2E_TEST_DIR/ca" "$E2E_TEST_DIR/tls/tls" /CN=localhost DNS:localhost IP:127.0.0.1
    sed "s#^clusters:.*#clusters: [{name: waymark, cluster: {server: 'https://127.0.0.1:1', insecure-skip-tls-verify: true}}]#" \
        "$E2E_CASE_DIR/webhook.kubeconfig" >"$E2E_TEST_DIR/kubeconfig"
    spawn "$E2E_TEST_DIR" early "$WEBHOOK" serve --listen "127.0.0.1:$PORT" --health-listen "127.0.0.1:$HEALTH" \
        --tls-mode self --tls-dir "$E2E_TEST_DIR/tls" --kubeconfig "$E2E_TEST_DIR/kubeconfig" --namespace waymark --drain-s 0
    eventually 10 webhook_ready "$HEALTH" >/dev/null
    WEBHOOK_ADDRESS=127.0.0.1 WEBHOOK_PORT=$PORT
    assert_contains migplan-name "$(review migmigration-create | jq -r '.response.patch | @base64d')"
    assert_contains unreachable "$(eventually 10 webhook_get readyz "$HEALTH" && webhook_get readyz "$HEALTH")"
}

# kinds that are not installed are normal, and are found when they are installed later
test_kinds_installed_later() {
    weather
    eventually 20 parents_are migmigrations synced
    kubectl delete crd restores.velero.io >/dev/null
    eventually 60 parents_are restores absent
    assert_contains 'readyz check passed' "$(webhook_get readyz)"
    apply_crds "$WM_ROOT/tests/crds"
    eventually 75 parents_are restores synced
}

# a token that is taken away and given back: served all the same, and synced again
test_token_change() {
    weather
    eventually 20 parents_are migmigrations synced
    service_account_token >"$E2E_CASE_DIR/webhook.kubeconfig.token.new"
    mv "$E2E_CASE_DIR/webhook.kubeconfig.token.new" "$E2E_CASE_DIR/webhook.kubeconfig.token"
    cluster restart "$E2E_NAME-weather" apiserver
    eventually 60 parents_are migmigrations synced
}

# two replicas restarted 20 times, with 20 changes of certificate, under 200 creates a second: not one create is lost
test_restarts_under_load() {
    local i name load status=0 body=$E2E_TEST_DIR/migration.json tls=$E2E_TEST_DIR/tls
    local -A health
    weather
    # A pair of files under one CA, changed 20 times below, in place of the Secret's own rotation.
    mkdir -p "$tls/0"
    new_ca "$E2E_TEST_DIR/ca" test
    pair() { new_certificate "$E2E_TEST_DIR/ca" "$1/tls" /CN=w DNS:waymark-webhook.waymark.svc; }
    pair "$tls/0"
    ln -s 0 "$tls/..data" && ln -s ..data/tls.crt "$tls/tls.crt" && ln -s ..data/tls.key "$tls/tls.key"
    end_processes "$E2E_CASE_DIR" webhook
    replica() { # NAME
        WEBHOOK_HEALTH_PORT=${health[$1]} start_webhook "$E2E_CASE_DIR" "$1" --tls-mode files --tls-dir "$tls" --drain-s 1
        eventually 10 webhook_ready "${health[$1]}" >/dev/null
    }
    for name in one two; do
        health[$name]=$(free_port)
        replica "$name"
    done
    kubectl get mutatingwebhookconfiguration/waymark-labels validatingwebhookconfiguration/waymark-validation -o json |
        jq --arg ca "$(base64 -w0 "$E2E_TEST_DIR/ca.crt")" '.items[].webhooks[].clientConfig.caBundle = $ca' |
        kubectl replace -f - >/dev/null
    eventually 20 webhook_called
    jq -n '{apiVersion: "migration.openshift.io/v1alpha1", kind: "MigMigration",
        metadata: {name: "load-@", namespace: "openshift-migration"},
        spec: {stage: false, migPlanRef: {name: "nginx-plan", namespace: "openshift-migration"}}}' >"$body"
    "$WM_BUILD/release/tests/kube_load" create "$RULES_PATH" "$body" 200 "${E2E_LOAD_SECONDS:-75}" >"$E2E_TEST_DIR/load.out" &
    load=$!
    for i in {1..20}; do
        mkdir "$tls/$i"
        pair "$tls/$i"
        ln -s "$i" "$tls/..data.new" && mv -T "$tls/..data.new" "$tls/..data"
        name=one
        ((i % 2)) || name=two
        signal_process "$E2E_CASE_DIR" "$name" TERM
        eventually 15 gone "$name"
        [[ $(tail -n 1 "$E2E_CASE_DIR/$name.log" | jq -r .ev) == stopped ]] || fail "replica $name did not end cleanly: $(tail -n 1 "$E2E_CASE_DIR/$name.log")"
        replica "$name"
    done
    kill -0 "$load" 2>/dev/null || fail 'the load ended before the restarts did; it should be longer'
    wait "$load" || status=$?
    say "$(<"$E2E_TEST_DIR/load.out")"
    assert_eq 0 "$(jq .failed "$E2E_TEST_DIR/load.out")" 'creates lost'
    assert_eq 0 "$status" 'exit of the load'
    # and every one of them is labelled
    assert_eq "$(jq .ok "$E2E_TEST_DIR/load.out")" \
        "$(kubectl get migmigrations -n openshift-migration -l $PLAN_KEY=nginx-plan -o name | grep -c /load-)" 'labelled'
}
gone() { ! pid_of "$E2E_CASE_DIR" "$1" >/dev/null; }

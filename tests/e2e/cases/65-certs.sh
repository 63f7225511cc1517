# shellcheck shell=bash
# The certificate that the webhook makes and rotates itself, with the rights of its ServiceAccount: in a cluster of its own,
# where an API server that does not trust the webhook cannot create a migration (failurePolicy Fail).

FLAGS=(--drain-s 0 --cert-wait-s 2 --cert-keep-s 15)
SECRET=(secret waymark-webhook-tls -n waymark)
CONFIG=(mutatingwebhookconfiguration waymark-labels)

case_begin() {
    use_cluster certs
    apply_crds "$WM_ROOT/tests/crds"
    # what is created here is load, and no migration that could work
    WEBHOOK_CONFIG=$'validation:\n  modes:\n  - {rules: ["migration/*"], mode: "off"}\n' FAILURE_POLICY=Fail \
        webhook_up "$E2E_CASE_DIR" "$E2E_NAME-certs" "${FLAGS[@]}"
}
certs() {
    use_cluster certs
    # shellcheck disable=SC1091
    source "$E2E_CASE_DIR/webhook.env"
    eventually 40 at_rest
}

in_secret() { kubectl get "${SECRET[@]}" -o json | jq -er --arg key "$1" '.data[$key] | @base64d'; }
versions() {
    kubectl get "${SECRET[@]}" -o jsonpath='{.metadata.resourceVersion} '
    kubectl get "${CONFIG[@]}" -o jsonpath='{.metadata.resourceVersion}'
}
logged() { jq -c --arg ev "$2" 'select(.ev == $ev)' "$E2E_CASE_DIR/$1.log" | grep .; }

# served: the certificate that a connection gets; the replicas share one address
served() {
    openssl s_client -connect "$WEBHOOK_ADDRESS:$WEBHOOK_PORT" -servername waymark-webhook.waymark.svc </dev/null 2>/dev/null |
        openssl x509 -outform PEM
}

# at_rest: one generation in the Secret, its CA alone in every caBundle, its pair served by whoever answers
at_rest() {
    local _
    kubectl get "${SECRET[@]}" -o json | jq -e '.data | has("tls.crt") and (has("next.crt") or has("previous-ca.crt") | not)' &&
        kubectl get "${CONFIG[@]}" -o json |
        jq -e --arg ca "$(kubectl get "${SECRET[@]}" -o jsonpath='{.data.ca\.crt}')" \
            '[.webhooks[].clientConfig.caBundle] | length > 0 and all(. == $ca)' || return 1
    for _ in 1 2 3 4 5 6; do
        diff <(served) <(in_secret tls.crt | openssl x509 -outform PEM) || return 1
    done
}
new_generation() { [[ $(in_secret ca.crt) != "$1" ]] && at_rest; }

# a fresh start makes a Secret that other programs understand, and a certificate of a CA that nobody can sign with again
test_from_nothing() {
    certs
    assert_eq kubernetes.io/tls "$(kubectl get "${SECRET[@]}" -o jsonpath='{.type}')"
    assert_eq 'ca.crt tls.crt tls.key' "$(kubectl get "${SECRET[@]}" -o json | jq -r '.data | keys | join(" ")')"
    in_secret ca.crt >"$E2E_TEST_DIR/ca.crt"
    in_secret tls.crt >"$E2E_TEST_DIR/tls.crt"
    openssl verify -CAfile "$E2E_TEST_DIR/ca.crt" -purpose sslserver -verify_hostname waymark-webhook.waymark.svc "$E2E_TEST_DIR/tls.crt"
    assert_eq 'waymark-webhook waymark-webhook.waymark waymark-webhook.waymark.svc waymark-webhook.waymark.svc.cluster.local' \
        "$(openssl x509 -in "$E2E_TEST_DIR/tls.crt" -noout -ext subjectAltName | grep -o 'DNS:[^,]*' | cut -d: -f2 | xargs)"
    assert_contains prime256v1 "$(openssl x509 -in "$E2E_TEST_DIR/tls.crt" -noout -text)"
    # the key in the Secret is the leaf's, and not the CA's
    assert_eq "$(openssl x509 -in "$E2E_TEST_DIR/tls.crt" -noout -pubkey)" "$(in_secret tls.key | openssl pkey -pubout)"
    [[ $(openssl x509 -in "$E2E_TEST_DIR/ca.crt" -noout -pubkey) != "$(in_secret tls.key | openssl pkey -pubout)" ]]
}

# at rest nothing is written
test_quiet() {
    local before
    certs
    before=$(versions)
    sleep 8
    assert_eq "$before" "$(versions)" 'resourceVersions'
}

# a second replica serves the same pair, and changes nothing
test_second_replica() {
    local before
    certs
    before=$(versions)
    second_replica
    sleep 4
    at_rest
    assert_eq "$before" "$(versions)" 'resourceVersions'
}
second_replica() {
    pid_of "$E2E_CASE_DIR" second >/dev/null || {
        free_port >"$E2E_CASE_DIR/second.port"
        WEBHOOK_HEALTH_PORT=$(<"$E2E_CASE_DIR/second.port") start_webhook "$E2E_CASE_DIR" second "${FLAGS[@]}"
    }
    eventually 20 webhook_ready "$(<"$E2E_CASE_DIR/second.port")" >/dev/null
}

# rotations with two replicas under load, by a deleted, an emptied and a broken Secret: not one create is lost
test_rotations_under_load() {
    local load status=0 _ before body=$E2E_TEST_DIR/migration.json
    certs
    second_replica
    jq -n '{apiVersion: "migration.openshift.io/v1alpha1", kind: "MigMigration",
        metadata: {name: "load-@", namespace: "openshift-migration"},
        spec: {stage: false, migPlanRef: {name: "nginx-plan", namespace: "openshift-migration"}}}' >"$body"
    # Each change of a caBundle makes the API server connect anew, and so meet the pair of the moment. 25 s a rotation.
    "$WM_BUILD/release/tests/kube_load" create /apis/migration.openshift.io/v1alpha1/namespaces/openshift-migration/migmigrations \
        "$body" 50 "${E2E_LOAD_SECONDS:-110}" >"$E2E_TEST_DIR/load.out" &
    load=$!
    for _ in 1 2; do
        before=$(in_secret ca.crt)
        kubectl delete "${SECRET[@]}" >/dev/null
        eventually 60 new_generation "$before"
    done
    kubectl patch "${SECRET[@]}" --type=merge -p '{"data":{"tls.key":""}}' >/dev/null
    eventually 60 at_rest
    kill -0 "$load" 2>/dev/null || fail 'the load ended before the rotations did; it should be longer'
    wait "$load" || status=$?
    say "$(<"$E2E_TEST_DIR/load.out")"
    assert_eq 0 "$(jq .failed "$E2E_TEST_DIR/load.out")" 'creates lost'
    assert_eq 0 "$status" 'exit of the load'
    assert_eq 2 "$(cat "$E2E_CASE_DIR"/{webhook,second}.log | jq -c 'select(.ev == "certs_step" and .step == "promote")' | wc -l)" 'promotions'
}

# a caBundle that a GitOps tool takes away comes back
test_bundle_taken_away() {
    certs
    kubectl get "${CONFIG[@]}" -o json | jq 'del(.webhooks[].clientConfig.caBundle)' | kubectl replace -f - >/dev/null
    eventually 20 at_rest
    eventually 10 webhook_called
}

# the configuration may be deleted and come back, in whatever order things are installed
test_configuration_comes_later() {
    certs
    kubectl get "${CONFIG[@]}" -o json | jq 'del(.webhooks[].clientConfig.caBundle, .metadata.resourceVersion, .metadata.uid)' \
        >"$E2E_TEST_DIR/configuration.json"
    kubectl delete "${CONFIG[@]}" >/dev/null
    eventually 20 logged webhook webhook_configuration_absent
    assert_contains '"waymark-labels"' "$(logged webhook webhook_configuration_absent | tail -n 1)"
    sleep 3
    assert_eq 1 "$(logged webhook webhook_configuration_absent | wc -l)" 'lines about it'
    kubectl create -f "$E2E_TEST_DIR/configuration.json" >/dev/null
    eventually 20 at_rest
    eventually 10 webhook_called
}

# a right that is missing is named in the log, meanwhile it serves on, and afterwards all is well
test_missing_right() {
    certs
    kubectl get clusterrole waymark-webhook -o json >"$E2E_TEST_DIR/role.json"
    jq 'del(.metadata.resourceVersion, .rules[2])' "$E2E_TEST_DIR/role.json" | kubectl replace -f - >/dev/null
    eventually 20 logged webhook certs_forbidden
    assert_eq 'get mutatingwebhookconfigurations waymark-labels' \
        "$(logged webhook certs_forbidden | tail -n 1 | jq -r '"\(.verb) \(.resource) \(.name)"')"
    webhook_called
    webhook_ready
    jq 'del(.metadata.resourceVersion)' "$E2E_TEST_DIR/role.json" | kubectl replace -f - >/dev/null
    eventually 30 logged webhook certs_recovered
}

# an API server that goes away and comes back is no event for the certificate
test_api_server_restarts() {
    local before
    certs
    before=$(versions)
    cluster restart "$E2E_NAME-certs" apiserver
    eventually 20 webhook_called
    sleep 4
    assert_eq "$before" "$(versions)" 'resourceVersions'
}

# a replica that is called by another name makes a certificate for it, without a gap
test_names_change() {
    certs
    end_processes "$E2E_CASE_DIR" second webhook
    start_webhook "$E2E_CASE_DIR" webhook "${FLAGS[@]}" --tls-names waymark.example
    eventually 15 webhook_ready >/dev/null
    webhook_called
    covers() { served | openssl x509 -noout -checkhost waymark.example | grep -q 'does match'; }
    while ! covers; do
        webhook_called || fail 'a gap'
        sleep 0.5
    done
    eventually 40 at_rest
}

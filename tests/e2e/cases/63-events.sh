# shellcheck shell=bash
# Events on a real API server: what kubectl shows of them, and that the server accepts all that is written.

PROBE=$WM_BUILD/release/tests/events_probe
API=migration.openshift.io/v1alpha1

# migration: a MigMigration in a namespace of its own; sets MIGRATION and MIGRATION_UID
migration() {
    own_namespace
    MIGRATION=$(kubectl create -n "$NAMESPACE" -o name -f - <<END
apiVersion: $API
kind: MigMigration
metadata: {name: m1}
spec: {migPlanRef: {name: p, namespace: $NAMESPACE}, stage: false}
END
    )
    MIGRATION=${MIGRATION#*/}
    MIGRATION_UID=$(uid_of migmigration "$MIGRATION" "$NAMESPACE")
}
# about_migration TYPE REASON NOTE: the line that tells of it
about_migration() { printf 'tell %s %s MigMigration %s %s %s %s %s\n' "$1" "$API" "$NAMESPACE" "$MIGRATION" "$MIGRATION_UID" "$2" "$3"; }
# probe [LIMIT...]: runs the lines on its standard input; prints its counters
probe() { "$PROBE" "$@" 2>"$E2E_TEST_DIR/probe.err" || fail "the probe: $(<"$E2E_TEST_DIR/probe.err")"; }
# events: the namespace's events as JSON
events() { kubectl get --raw "/apis/events.k8s.io/v1/namespaces/$NAMESPACE/events"; }

# kubectl shows an event of a migration, and the second of its kind makes it a series
test_series() {
    local counters
    migration
    counters=$(
        {
            about_migration Warning Stalled 'Restore r1 waits for nothing'
            echo 'wait created 1'
            about_migration Warning Stalled 'Restore r1 waits for nothing'
            echo 'wait patched 1'
            about_migration Warning Stalled 'Restore r1 waits for nothing'
        } | probe
    )
    assert_eq 'told=3 created=1 patched=1 replaced=0 dropped=0 refused=0' "$counters" counters
    # the third is what the probe owed at its end
    assert_eq 3 "$(events | jq '.items[0].series.count')" count
    assert_eq 1 "$(events | jq '.items | length')" events
    assert_eq 'Pod culprit' "$(events | jq -r '.items[0].related | .kind + " " + .name')" related
    assert_contains "migmigration/$MIGRATION" "$(kubectl get events -n "$NAMESPACE")" 'kubectl get events'
    assert_contains 'Restore r1 waits for nothing' "$(kubectl get events -n "$NAMESPACE")" 'kubectl get events'
    kubectl describe migmigration "$MIGRATION" -n "$NAMESPACE" >"$E2E_TEST_DIR/describe"
    say "$(grep -A5 '^Events' "$E2E_TEST_DIR/describe")"
    assert_contains Stalled "$(sed -n '/^Events/,$p' "$E2E_TEST_DIR/describe")" 'kubectl describe'
    assert_contains waymark.io/probe "$(sed -n '/^Events/,$p' "$E2E_TEST_DIR/describe")" 'kubectl describe'
}

# the newest of those that came too soon is told, here at the end
test_limit() {
    migration
    {
        about_migration Normal Phase 'first'
        echo 'wait created 1'
        about_migration Normal Phase 'second'
        about_migration Normal Phase 'third'
    } | probe 30 20 >/dev/null
    assert_eq 'first third' "$(events | jq -r '[.items[].note] | sort | join(" ")')" notes
}

# odd_lines: events at every limit that the server's validation knows, and beyond
odd_lines() {
    local long
    long=$(printf 'ä%.0s' {1..2000})
    about_migration Normal Long "$long"
    about_migration Normal LongOdd "x$long"
    about_migration Normal LongLater "$(head -c 5000 /dev/zero | tr '\0' a)"
    about_migration Normal "$(head -c 300 /dev/zero | tr '\0' R)" 'a long reason'
    about_migration Normal Empty ''
    about_migration Warning Bytes $'\xff\xfe not UTF-8 \x01\t"\\ and \xf0\x9f\x90\xa2'
    about_migration Normal Secret 'cannot push to https://user:hunter2@registry:5000/x'
    # names that are long, odd or missing
    printf 'tell Normal v1 Thing %s %s u Odd note\n' "$NAMESPACE" "$(head -c 253 /dev/zero | tr '\0' n)" \
        "$NAMESPACE" system:Odd/Name
    printf 'tell Normal v1 Thing %s  u Odd note\n' "$NAMESPACE"
}

# the server accepts all that is written, cut where it must be
test_validation() {
    local counters
    migration
    counters=$(
        {
            odd_lines
            echo 'wait created 10'
            odd_lines
            echo 'wait patched 10'
        } | probe
    )
    assert_eq 'told=20 created=10 patched=10 replaced=0 dropped=0 refused=0' "$counters" counters
    events >"$E2E_TEST_DIR/events.json"
    assert_eq 10 "$(jq '.items | length' "$E2E_TEST_DIR/events.json")" events
    assert_eq 1024 "$(jq '[.items[].note // "" | utf8bytelength] | max' "$E2E_TEST_DIR/events.json")" 'longest note'
    assert_eq 128 "$(jq '[.items[].reason | length] | max' "$E2E_TEST_DIR/events.json")" 'longest reason'
    ! grep -q hunter2 "$E2E_TEST_DIR/events.json" || fail 'a password was written'
}

# an object without a namespace: its events are in "default", or in "kube-system" where the server wants them there
test_cluster_scoped() {
    local node=node-$RANDOM
    {
        printf 'tell Normal v1 Node - %s u Seen once\n' "$node"
        echo 'wait created 1'
        printf 'tell Normal v1 Node - %s u Seen once\n' "$node"
    } | probe >/dev/null
    assert_eq 2 "$(kubectl get --raw /apis/events.k8s.io/v1/events | jq --arg n "$node" '.items[] | select(.regarding.name == $n) | .series.count')" count
}

# an event that is deleted under a series is created again with what it owes
test_expired() {
    migration
    {
        about_migration Normal Seen note
        echo 'wait created 1'
        kubectl delete events --all -n "$NAMESPACE" >/dev/null
        about_migration Normal Seen note
        echo 'wait created 2'
    } | probe >/dev/null
    assert_eq 2 "$(events | jq '.items[].series.count')" count
}

# rights to create and to patch events.events.k8s.io are enough
test_rights() {
    local token
    migration
    kubectl create serviceaccount probe -n "$NAMESPACE" >/dev/null
    kubectl create role probe -n "$NAMESPACE" --verb=create,patch --resource=events.events.k8s.io >/dev/null
    kubectl create rolebinding probe -n "$NAMESPACE" --role=probe --serviceaccount="$NAMESPACE:probe" >/dev/null
    token=$(jq -n '{apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {}}' |
        kubectl create --raw "/api/v1/namespaces/$NAMESPACE/serviceaccounts/probe/token" -f - | jq -r .status.token)
    kubectl config view --raw --minify -o json | jq --arg t "$token" '.users[0].user = {token: $t}' >"$E2E_TEST_DIR/kubeconfig"
    {
        about_migration Normal Seen note
        echo 'wait created 1'
        about_migration Normal Seen note
        echo 'wait patched 1'
    } | KUBECONFIG=$E2E_TEST_DIR/kubeconfig probe >/dev/null
    # and what is not allowed is refused, counted, and said once
    kubectl delete role probe -n "$NAMESPACE" >/dev/null
    {
        about_migration Normal Seen other
        echo 'wait refused 1'
    } | KUBECONFIG=$E2E_TEST_DIR/kubeconfig probe >/dev/null
    assert_contains event_refused "$(<"$E2E_TEST_DIR/probe.err")" log
}

# a server without events.k8s.io/v1, as those before 1.19: core Events, which kubectl shows the same way
test_old_server() {
    local counters
    use_cluster old --no-controller-manager --apiserver-arg=--runtime-config=events.k8s.io/v1=false
    apply_crds "$WM_ROOT/tests/crds"
    migration
    counters=$(
        {
            odd_lines
            echo 'wait created 10'
            odd_lines
            echo 'wait patched 10'
            echo 'tell Normal v1 Node - n1 u Seen in default'
            echo 'wait created 11'
        } | probe
    )
    assert_eq 'told=21 created=11 patched=10 replaced=0 dropped=0 refused=0' "$counters" counters
    assert_contains events_as_core_v1 "$(<"$E2E_TEST_DIR/probe.err")" log
    assert_eq '2 2' "$(kubectl get events -n "$NAMESPACE" -o json | jq -r '[.items[].count] | [min, max] | join(" ")')" counts
    assert_contains '(x2 over' "$(kubectl describe migmigration "$MIGRATION" -n "$NAMESPACE")" 'kubectl describe'
}

# shellcheck shell=bash
# The MigrationReport on a real API server: whatever the aggregator writes is accepted, kept whole, and shown.

REPORTS=$WM_ROOT/tests/golden/report
API=/apis/waymark.io/v1alpha1

case_begin() {
    kubectl apply -f "$WM_ROOT/manifests/base/migrationreport-crd.yaml" >/dev/null
    kubectl wait --for=condition=Established crd/migrationreports.waymark.io --timeout=30s >/dev/null
    eventually 10 kubectl get migrationreports -A
}

# store FILE NAME: creates the report and puts its status, as the aggregator does; prints what is stored
store() {
    local path=$API/namespaces/$NAMESPACE/migrationreports
    jq --arg name "$2" --arg namespace "$NAMESPACE" 'del(.metadata.ownerReferences) |
        .metadata.name = $name | .metadata.namespace = $namespace' "$1" >"$E2E_TEST_DIR/$2.json"
    kubectl create -f "$E2E_TEST_DIR/$2.json" -o json | jq '.status' >"$E2E_TEST_DIR/$2.before"
    assert_eq null "$(cat "$E2E_TEST_DIR/$2.before")" 'status that came with the creation'
    kubectl get --raw "$path/$2" |
        jq --slurpfile golden "$1" '.status = $golden[0].status' >"$E2E_TEST_DIR/$2.put"
    kubectl replace --raw "$path/$2/status" -f "$E2E_TEST_DIR/$2.put" >/dev/null
    kubectl get --raw "$path/$2"
}

# every golden report is accepted, and nothing of it is pruned or changed
test_nothing_is_pruned() {
    local file name
    own_namespace
    for file in "$REPORTS"/*.json; do
        name=$(basename "$file" .json)
        store "$file" "$name" | jq -S '{spec, status}' >"$E2E_TEST_DIR/stored"
        jq -S '{spec, status}' "$file" | diff - "$E2E_TEST_DIR/stored" || fail "$name is not stored as it was written"
    done
}

# kubectl shows where each migration stands, by the long name and by the short one
test_columns() {
    local shown
    own_namespace
    store "$REPORTS/restoring.json" restoring >/dev/null
    store "$REPORTS/not-begun.json" not-begun >/dev/null
    shown=$(kubectl get migrationreports -n "$NAMESPACE")
    say "$shown"
    assert_eq 'NAME PLAN MIGRATION PHASE STEP VERDICT SINCE AGE' "$(head -n 1 <<<"$shown" | tr -s ' ' | sed 's/ $//')"
    assert_contains 'nginx-plan   migration-aaaaa   StageRestoreCreated   30 of 38   step 30 of 38: waits for Restore' "$shown"
    assert_eq "$(cut -c1-100 <<<"$shown")" "$(kubectl get mreport -n "$NAMESPACE" | cut -c1-100)" 'by the short name'
    assert_contains running "$(kubectl get mreport restoring -n "$NAMESPACE" -o wide)" 'the outcome'
}

# every field has a description for kubectl explain
test_explained() {
    local missing
    missing=$(kubectl get crd migrationreports.waymark.io -o json | jq -r '
        .spec.versions[0].schema.openAPIV3Schema.properties | {spec, status} |
        paths(type == "object" and (.type | type) == "string" and (has("description") | not)) |
        select(.[-1] != "items") | join(".")')
    assert_eq '' "$missing" 'fields without a description'
}

# a report without the migration that it is about is refused
test_spec_is_needed() {
    own_namespace
    assert_contains migrationRef "$(refused kubectl create --validate=false -f - <<END
apiVersion: waymark.io/v1alpha1
kind: MigrationReport
metadata: {name: empty, namespace: $NAMESPACE}
spec: {}
END
    )"
}

# the condition Succeeded can be waited for
test_wait() {
    own_namespace
    store "$REPORTS/failed.json" failed >/dev/null
    kubectl wait mreport/failed -n "$NAMESPACE" --for=condition=Succeeded=False --timeout=5s >/dev/null
}

# the form for older servers is the same resource with the same columns, and keeps all that is written
test_legacy_definition() {
    local mine theirs
    use_cluster legacy-report
    kubectl apply -f "$WM_ROOT/manifests/overlays/legacy-v1beta1/migrationreport-crd.yaml" >/dev/null 2>&1
    kubectl wait --for=condition=Established crd/migrationreports.waymark.io --timeout=30s >/dev/null
    eventually 10 kubectl get migrationreports -A
    own_namespace
    store "$REPORTS/restoring.json" restoring | jq -S .status >"$E2E_TEST_DIR/stored"
    jq -S .status "$REPORTS/restoring.json" | diff - "$E2E_TEST_DIR/stored" || fail 'is not stored as it was written'
    facts() {
        kubectl get crd migrationreports.waymark.io -o json |
            jq -S '.spec | {group, scope, names, versions: [.versions[] | del(.schema)]}'
    }
    theirs=$(facts)
    use_cluster ''
    mine=$(facts)
    assert_eq "$mine" "$theirs" 'the definition for older servers'
}

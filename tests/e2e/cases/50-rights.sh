# shellcheck shell=bash
# The webhook's rights are enough and not one too many: the API server's audit log tells what its ServiceAccount asked
# for, on a cluster of its own, over a life from installation to a restart.

AUDIT_USER=system:serviceaccount:waymark:waymark-webhook

case_begin() {
    cat >"$E2E_CASE_DIR/policy.yaml" <<END
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  users: [$AUDIT_USER]
- level: None
END
    use_cluster rights --apiserver-arg=--audit-policy-file="$E2E_CASE_DIR/policy.yaml" \
        --apiserver-arg=--audit-log-path="$E2E_CASE_DIR/audit.log"
    apply_crds "$WM_ROOT/tests/crds"
    webhook_up "$E2E_CASE_DIR" "$E2E_NAME-rights" --drain-s 0
    story_all
}

# asked: what was asked for, one "verb group/resource name" a line; without /version, which everybody may read
asked() {
    jq -r 'select(.responseStatus.code != null and .objectRef != null) | "\(.verb) \(.objectRef.apiGroup // "")/\(.objectRef.resource)"' \
        "$E2E_CASE_DIR/audit.log" | sort -u
}
# granted: what the roles of manifests/ allow, in the same words
granted() {
    {
        kubectl get clusterrole waymark-webhook -o json
        kubectl get role waymark-webhook -n waymark -o json
    } | jq -r '.rules[] | .apiGroups[] as $g | .resources[] as $r | .verbs[] | "\(.) \($g)/\($r)"' | sort -u
}

# granted_is_used: the two are the same
granted_is_used() { diff <(granted) <(asked); }

# nothing that the webhook asks for is refused
test_sufficient() {
    use_cluster rights
    assert_eq '' "$(jq -r 'select(.responseStatus.code == 403) | .requestURI' "$E2E_CASE_DIR/audit.log" | sort -u)" 'refused requests'
}

# everything that is granted is used, and nothing is asked for that is not granted
test_minimal() {
    use_cluster rights
    # A replica that finds a Secret which is about to expire writes it: the one right that a fresh start does not use.
    # shellcheck disable=SC1091
    source "$E2E_CASE_DIR/webhook.env"
    end_processes "$E2E_CASE_DIR" webhook
    kubectl patch secret waymark-webhook-tls -n waymark --type=merge -p '{"data":{"tls.key":""}}' >/dev/null
    # a parent that no watch has brought yet is asked for by name
    start_webhook "$E2E_CASE_DIR" webhook --drain-s 0
    eventually 20 webhook_ready >/dev/null
    eventually 30 webhook_called
    look_up_each_parent
    eventually 20 granted_is_used
}

# look_up_each_parent: children whose parents do not exist make the webhook ask for each kind of parent by name
look_up_each_parent() {
    local row kind api owner owner_api
    for row in 'PodVolumeBackup velero.io/v1 Backup velero.io/v1' 'PodVolumeRestore velero.io/v1 Restore velero.io/v1' \
        'DirectVolumeMigration migration.openshift.io/v1alpha1 MigMigration migration.openshift.io/v1alpha1' \
        'DirectVolumeMigrationProgress migration.openshift.io/v1alpha1 DirectVolumeMigration migration.openshift.io/v1alpha1' \
        'DirectImageStreamMigration migration.openshift.io/v1alpha1 DirectImageMigration migration.openshift.io/v1alpha1'; do
        read -r kind api owner owner_api <<<"$row"
        # Its required fields are checked only after the webhook was asked.
        kubectl create --dry-run=server --validate=false -o name -f - <<END >/dev/null 2>&1 || true
apiVersion: $api
kind: $kind
metadata:
  name: nobody
  namespace: openshift-migration
  ownerReferences: [{apiVersion: $owner_api, kind: $owner, name: nobody, uid: 99999999-9999-4999-8999-999999999999, controller: true}]
spec: {}
END
    done
}

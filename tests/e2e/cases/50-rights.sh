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
    kubectl create namespace openshift-config >/dev/null
    kubectl create namespace openshift-migration >/dev/null
    kubectl apply -f "$WM_ROOT/manifests/overlays/secret-lookups/rbac.yaml" >/dev/null
    # of the story's cluster and bucket, which may be looked at here
    kubectl create secret generic source-token -n openshift-config --from-literal=saToken=eyJhbGciOiJSUzI1NiJ9.e30.c2ln >/dev/null
    kubectl create secret generic bucket-credentials -n openshift-config --from-literal=aws-access-key-id=AKIAEXAMPLEEXAMPLE01 \
        --from-literal=aws-secret-access-key=0123456789abcdefghij0123456789abcdefghij >/dev/null
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
    local role
    {
        for role in waymark-webhook waymark-webhook-lookups waymark-webhook-secret-lookups; do
            kubectl get clusterrole "$role" -o json
        done
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
    look_up_for_each_rule
    eventually 20 granted_is_used
}

# look_up_each_parent: children whose parents do not exist make the webhook ask for each kind of parent by name
look_up_each_parent() {
    local row kind api owner owner_api
    for row in 'PodVolumeBackup velero.io/v1 Backup velero.io/v1' 'PodVolumeRestore velero.io/v1 Restore velero.io/v1' \
        'DirectVolumeMigration migration.openshift.io/v1alpha1 MigMigration migration.openshift.io/v1alpha1' \
        'DirectVolumeMigrationProgress migration.openshift.io/v1alpha1 DirectVolumeMigration migration.openshift.io/v1alpha1' \
        'DirectImageStreamMigration migration.openshift.io/v1alpha1 DirectImageMigration migration.openshift.io/v1alpha1' \
        'PersistentVolumeClaim v1 VMMigration infra.virtrigaud.io/v1beta1'; do
        read -r kind api owner owner_api <<<"$row"
        # Its required fields are checked only after the webhook was asked.
        kubectl create --dry-run=server --validate=false -o name -f - <<END >/dev/null 2>&1 || true
apiVersion: $api
kind: $kind
metadata:
  name: nobody
  namespace: openshift-migration
  labels: {virtrigaud.io/component: migration-storage} # of the PVC, or nobody is asked
  ownerReferences: [{apiVersion: $owner_api, kind: $owner, name: nobody, uid: 99999999-9999-4999-8999-999999999999, controller: true}]
spec: {}
END
    done
}

# tried: what stands on stdin would be created, or would not: its rules have looked up what they need
tried() { kubectl create --dry-run=server -o name -f - >/dev/null 2>&1 || true; }

# look_up_for_each_rule: objects that refer to all that rules look up. A plan's clusters and storage, other plans, and a
# migration's plan came with the story.
look_up_for_each_rule() {
    tried <<'END'
apiVersion: migration.openshift.io/v1alpha1
kind: MigPlan
metadata: {name: with-hook, namespace: openshift-migration}
spec:
  srcMigClusterRef: {name: source, namespace: openshift-migration}
  destMigClusterRef: {name: host, namespace: openshift-migration}
  migStorageRef: {name: bucket, namespace: openshift-migration}
  namespaces: [with-hook]
  hooks:
  - {reference: {name: nobody, namespace: openshift-migration}, phase: PreBackup, executionNamespace: with-hook, serviceAccount: sa}
END
    local storage
    for storage in '{name: nobody}' '{storageClassName: nobody, size: 1Gi, accessMode: ReadWriteMany}'; do
        tried <<END
apiVersion: infra.virtrigaud.io/v1beta1
kind: VMMigration
metadata: {name: m, namespace: openshift-migration}
spec:
  source: {vmRef: {name: nobody}, providerRef: {name: nobody}}
  target: {name: elsewhere, providerRef: {name: nobody}}
  storage: {type: pvc, pvc: $storage}
END
    done
}

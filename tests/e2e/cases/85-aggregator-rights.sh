# shellcheck shell=bash
# The aggregator's rights are enough and not one too many: the API server's audit log tells what its ServiceAccount
# asked for while it followed a migration, on a cluster of its own. The same of the account for other clusters, whose
# kubeconfig is made as manifests/README.md says: the cluster is its own remote one, once by that kubeconfig and once by a
# MigCluster.

AGGREGATOR_USER=system:serviceaccount:waymark:waymark-aggregator
READER_USER=system:serviceaccount:waymark:waymark-reader
SINCE=2026-11-21T07:20:00Z

case_begin() {
    cat >"$E2E_CASE_DIR/policy.yaml" <<END
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  users: [$AGGREGATOR_USER, $READER_USER]
- level: None
END
    use_cluster aggregator-rights --apiserver-arg=--audit-policy-file="$E2E_CASE_DIR/policy.yaml" \
        --apiserver-arg=--audit-log-path="$E2E_CASE_DIR/audit.log"
    apply_crds "$WM_ROOT/tests/crds"
    kubectl create namespace openshift-config >/dev/null
    kubectl create namespace openshift-migration >/dev/null
    # without the webhook: what it labels is none of the aggregator's business
    manifests_for_server | kubectl create --dry-run=client -o json -f - |
        jq -c '(.items // [.])[] | select(.kind | test("^Deployment$|^Service$|WebhookConfiguration$") | not)' |
        kubectl apply -f - >/dev/null
    kubectl apply -f "$WM_ROOT/manifests/overlays/cluster-secrets/rbac.yaml" >/dev/null
    eventually 20 service_account_token waymark-aggregator >/dev/null
    service_account_kubeconfig "$E2E_CASE_DIR/aggregator.kubeconfig" waymark-aggregator
    make_remote_kubeconfig
    story_all
    name_the_cluster_again
    start_aggregator "$E2E_CASE_DIR" aggregator --kubeconfig "$E2E_CASE_DIR/aggregator.kubeconfig" \
        --remotes source="$E2E_CASE_DIR/source.kubeconfig" --repair-per-s 0
    eventually 20 aggregator_ready
    follow_a_migration
    follow_a_vm_migration
}

# make_remote_kubeconfig: source.kubeconfig, by the commands of manifests/README.md
make_remote_kubeconfig() {
    sed -n '/^<!-- remote/,/^<!-- \/remote/p' "$WM_ROOT/manifests/README.md" |
        sed '/^<!--/d; /^```/d' >"$E2E_CASE_DIR/remote.sh"
    ln -sfn "$WM_ROOT/manifests" "$E2E_CASE_DIR/manifests"
    export -f kubectl
    (cd "$E2E_CASE_DIR" && timeout 60 bash -eu remote.sh >/dev/null)
    assert_eq 600 "$(stat -c %a "$E2E_CASE_DIR/source.kubeconfig")" 'who may read source.kubeconfig'
}

# name_the_cluster_again: as MigCluster "other", whose Secret has the token of the account for other clusters
name_the_cluster_again() {
    kubectl get secret waymark-reader -n waymark -o json |
        jq '{apiVersion, kind, metadata: {name: "other-token", namespace: "openshift-config"},
            data: {saToken: .data.token}}' |
        kubectl create -f - >/dev/null
    kubectl config view --raw --flatten --minify -o json | jq '.clusters[0].cluster | {
        apiVersion: "migration.openshift.io/v1alpha1", kind: "MigCluster",
        metadata: {name: "other", namespace: "openshift-migration"},
        spec: {isHostCluster: false, url: .server, caBundle: ."certificate-authority-data",
            serviceAccountSecretRef: {name: "other-token", namespace: "openshift-config"}}}' |
        kubectl create -f - >/dev/null
}

# controller_writes PHASE STEP: as mig-controller when it moves on; it keeps durable conditions of others
controller_writes() {
    kubectl get migmigration "$MIGRATION" -n "$NAMESPACE" -o json |
        jq --arg phase "$1" --arg step "$2" --arg since "$SINCE" --arg touch "$RANDOM$RANDOM" '
            {metadata: {annotations: {"openshift.io/touch": $touch}},
            status: {$phase, itinerary: "Final", startTimestamp: "2026-11-21T07:10:00Z",
                conditions: ([.status.conditions // [] | .[] | select(.durable)] + [{type: "Running", status: "True",
                    category: "Advisory", reason: $phase, message: "Step: \($step)", lastTransitionTime: $since}])}}' \
            >"$E2E_CASE_DIR/round.json"
    kubectl patch migmigration "$MIGRATION" -n "$NAMESPACE" --type merge -p "$(<"$E2E_CASE_DIR/round.json")" >/dev/null
}
# controller_waits: a round of mig-controller in which nothing moved; then it sleeps
controller_waits() {
    kubectl annotate migmigration "$MIGRATION" -n "$NAMESPACE" --overwrite openshift.io/touch="$RANDOM$RANDOM" >/dev/null
}

# follow_a_migration: through two phases that wait, twice, so that an Event is told again
follow_a_migration() {
    local phase _
    for _ in 1 2; do
        for phase in InitialBackupCreated StageRestoreCreated; do
            controller_writes "$phase" 32/50
            eventually 20 phase_is_reported "$phase"
        done
    done
    eventually 60 words_stand
}
phase_is_reported() {
    [[ $(kubectl get mreport "$MIGRATION" -n "$NAMESPACE" -o jsonpath='{.status.phase}') == "$1" ]]
}
words_stand() {
    controller_waits
    sleep 2
    kubectl get migmigration "$MIGRATION" -n "$NAMESPACE" -o json |
        jq -e '.metadata.annotations["waymark.io/verdict"] and any(.status.conditions[]; .type == "MigrationProgress")'
}

# follow_a_vm_migration: until its words stand in both halves of it; beside its Provider everything of VirtRigaud's is watched
follow_a_vm_migration() {
    kubectl create namespace vms >/dev/null
    kubectl create -f - >/dev/null <<END
apiVersion: infra.virtrigaud.io/v1beta1
kind: VMMigration
metadata: {name: web, namespace: vms}
spec:
  source: {vmRef: {name: web}}
  target: {name: web, providerRef: {name: proxmox}}
  storage: {type: s3, s3: {bucket: b, credentialsSecretRef: {name: s}}}
END
    eventually 30 vm_words_stand
    eventually 20 vm_is_reported
}
vm_words_stand() {
    kubectl get vmmigration web -n vms -o json |
        jq -e '.metadata.annotations["waymark.io/verdict"] and any(.status.conditions[]; .type == "MigrationProgress")'
}
vm_is_reported() { kubectl get mreport web.vm -n vms -o json | jq -e '.status.verdict'; }

# asked USER: what was asked for, one "verb group/resource" a line; without what everybody may read
asked() {
    jq -r --arg user "$1" 'select(.user.username == $user and .responseStatus.code and .objectRef)
        | .verb as $verb | .objectRef
        | "\($verb) \(.apiGroup // "")/\(.resource)\(if .subresource then "/" + .subresource else "" end)"' \
        "$E2E_CASE_DIR/audit.log" | sort -u
}
# allowed ROLE...: what these allow, in the same words
allowed() {
    kubectl get "$@" -n waymark -o json |
        jq -r '(.items // [.])[].rules[] | .apiGroups[] as $g | .resources[] as $r | .verbs[] | "\(.) \($g)/\($r)"' | sort -u
}
granted() {
    allowed clusterrole/waymark-aggregator clusterrole/waymark-aggregator-writes \
        clusterrole/waymark-aggregator-cluster-secrets role/waymark-aggregator | grep -vxF "$(not_needed_here)"
}
# not_needed_here: Events of the first group, which API servers before 1.19 have no other of; the report of another migration
# that bore the same name
not_needed_here() { printf '%s\n' 'create /events' 'patch /events' 'delete waymark.io/migrationreports'; }

aggregator_uses_all() { diff <(granted) <(asked "$AGGREGATOR_USER"); }
reader_uses_all() { diff <(allowed clusterrole/waymark-reader) <(asked "$READER_USER"); }

# nothing that is asked for is refused, here or on another cluster
test_sufficient() {
    use_cluster aggregator-rights
    assert_eq '' "$(jq -r 'select(.responseStatus.code == 403) | "\(.user.username) \(.verb) \(.requestURI)"' \
        "$E2E_CASE_DIR/audit.log" | sort -u)" 'refused requests'
    assert_eq '' "$(grep '"lvl":"\(warn\|error\)"' "$E2E_CASE_DIR/aggregator.log" || true)" 'complaints'
}

# other clusters are seen, by the kubeconfig of the manual and as a MigCluster says
test_remotes_are_seen() {
    use_cluster aggregator-rights
    # shellcheck disable=SC1091
    source "$E2E_CASE_DIR/aggregator.env"
    assert_eq 'host: good other: good source: good' \
        "$(aggregator_get readyz | sed -n 's/^\[+\]cluster //p' | sort | xargs)" 'clusters that are seen'
}

# everything that is granted is used, and nothing is asked for that is not granted
test_minimal() {
    end_watches
    eventually 20 aggregator_uses_all
}

# the same of the account for other clusters
test_remote_minimal() {
    end_watches
    eventually 20 reader_uses_all
}
# end_watches: those that nothing came by are in the log from their end on
end_watches() {
    use_cluster aggregator-rights
    end_processes "$E2E_CASE_DIR" aggregator
}

# without the right for EndpointSlices all else goes on, and the log says so once
test_without_slices() {
    use_cluster aggregator-rights
    kubectl get clusterrole waymark-aggregator -o json |
        jq 'del(.rules[] | select(.resources == ["endpointslices"]))' | kubectl replace -f - >/dev/null
    start_aggregator "$E2E_CASE_DIR" aggregator --kubeconfig "$E2E_CASE_DIR/aggregator.kubeconfig" --repair-per-s 0
    eventually 20 aggregator_ready
    kubectl annotate vmmigration web -n vms waymark.io/verdict- >/dev/null
    eventually 40 vm_words_stand
    assert_contains '[+]cluster host: good' "$(aggregator_get readyz)" 'how the host is seen'
    assert_eq 1 "$(grep -c 'endpointslices.*forbidden' "$E2E_CASE_DIR/aggregator.log")" 'lines about EndpointSlices'
}

# may USER VERB RESOURCE...: yes or no
may() { kubectl auth can-i "${@:2}" --as="$1" 2>/dev/null; }

# neither account reads Secrets at large, leads by another's Lease, or touches what controllers own
test_rights_are_bound() {
    local user
    use_cluster aggregator-rights
    for user in "$AGGREGATOR_USER" "$READER_USER"; do
        assert_eq no "$(may "$user" list secrets -A)"
        assert_eq no "$(may "$user" get secrets -n kube-system)"
        assert_eq no "$(may "$user" patch migplans.migration.openshift.io -A)"
        assert_eq no "$(may "$user" delete migmigrations.migration.openshift.io -A)"
        assert_eq no "$(may "$user" delete pods -A)"
        assert_eq no "$(may "$user" create pods --subresource=exec -A)"
        assert_eq no "$(may "$user" create leases.coordination.k8s.io -n kube-system)"
    done
    # labels are given by a role of their own, on the host only
    assert_eq yes "$(may "$AGGREGATOR_USER" patch restores.velero.io -A)"
    assert_eq no "$(may "$READER_USER" patch restores.velero.io -A)"
    assert_eq no "$(may "$AGGREGATOR_USER" patch pods -A)"
    assert_eq yes "$(may "$AGGREGATOR_USER" get secrets -n openshift-config)"
    assert_eq no "$(may "$AGGREGATOR_USER" list secrets -n openshift-config)"
    assert_eq no "$(may "$AGGREGATOR_USER" update leases.coordination.k8s.io/another -n waymark)"
    assert_eq no "$(may "$READER_USER" patch migmigrations.migration.openshift.io -A)"
    assert_eq no "$(may "$READER_USER" get secrets -n openshift-migration)"
}

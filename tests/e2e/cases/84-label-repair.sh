# shellcheck shell=bash
# What was made without the webhook gets its labels from the aggregator, on two control planes: the host, where the
# MigMigration is, and the cluster "source", where there are only Velero's objects.

AGGREGATOR=$WM_BUILD/release/aggregator/waymark-aggregator
PLAN_KEY=migration.openshift.io/migplan-name
NAME_KEY=migration.openshift.io/migmigration-name
UID_KEY=migration.openshift.io/migmigration-uid
KINDS=$STORY_KINDS,pods

# on CLUSTER COMMAND...: with kubectl speaking to it
on() { KUBECONFIG=$E2E_CASE_DIR/$1.kubeconfig "${@:2}"; }
make_cluster() {
    use_cluster "repair-$1"
    cp "$KUBECONFIG" "$E2E_CASE_DIR/$1.kubeconfig"
    apply_crds "$WM_ROOT/tests/crds"
    operator_namespace
    story_unrelated
}

# Everything is made before any test: the migration has ended, and nobody labelled.
case_begin() {
    make_cluster host
    story_plan
    story_migration
    story_backups
    story_restores
    story_direct
    ended migmigration "$MIGRATION" '{"phase": "Completed"}'
    ended directvolumemigration "$DVM" '{"phase": "Completed", "phaseDescription": "Completed", "observedDigest": "1"}'
    printf '%s\n' "$MIGRATION_UID" >"$E2E_CASE_DIR/uid"
    make_cluster source
    story_backups
}
# ended KIND NAME STATUS
ended() { kubectl patch "$1" "$2" -n "$NAMESPACE" --type merge -p "{\"status\": $3}" >/dev/null; }

# aggregator [FLAG...]: on the host, writing labels alone
aggregator() {
    HEALTH=127.0.0.1:$(free_port)
    spawn "$E2E_TEST_DIR" aggregator "$AGGREGATOR" run --kubeconfig "$E2E_CASE_DIR/host.kubeconfig" \
        --remotes "source=$E2E_CASE_DIR/source.kubeconfig" --health-listen "$HEALTH" --leader-election=false \
        --reports=false --events=false --verdicts=false "$@"
}
sees_all() {
    local page
    page=$(curl -fsS "http://$HEALTH/readyz") && [[ $page == *'cluster host: good'*'cluster source: good'* ]]
}
metric() { curl -fsS "http://$HEALTH/metrics" | awk -v name="waymark_$1" '$1 == name { print $2 }'; }
metric_is() { [[ $(metric "$1") == "$2" ]]; }

# objects CLUSTER: all of them, without what every write changes
objects() {
    on "$1" kubectl get "$KINDS" -n openshift-migration -o json |
        jq -S '[.items[] | del(.metadata.resourceVersion, .metadata.managedFields, .metadata.generation)]'
}
versions() {
    on "$1" kubectl get "$KINDS" -A -o json | jq -c '[.items[].metadata | [.uid, .resourceVersion]] | sort'
}
# unlabelled CLUSTER: what should be found by its plan, and is not
unlabelled() {
    on "$1" kubectl get "$KINDS" -n openshift-migration -o json | jq -r --arg key "$PLAN_KEY" '
        .items[] | select(.metadata.labels[$key] == null) | "\(.kind)/\(.metadata.name)"'
}
# what_stays: notes what stays without label: mig-controller still works on these, as far as anybody can tell
what_stays() {
    SOURCE_LEFT=Backup/nightly-20261121
    HOST_LEFT=$(unlabelled host | grep -E '^(Backup/nightly|DirectImage|DirectVolumeMigrationProgress)')
}
left_alone() { [[ $(unlabelled host) == "$HOST_LEFT" && $(unlabelled source) == "$SOURCE_LEFT" ]]; }
# without_ours: objects as they were but for the labels that are ours
without_ours() {
    jq -S --arg plan "$PLAN_KEY" --arg name "$NAME_KEY" --arg uid "$UID_KEY" '.[].metadata.labels |= ((. // {}) |
        del(.[$plan], .[$name], .[$uid], .["migrations.openshift.io/migPlanName"]))'
}

# what was made without webhook is labelled on both clusters, two a second; nothing else of it changes
test_labelled() {
    local cluster began n
    for cluster in host source; do
        objects "$cluster" >"$E2E_TEST_DIR/$cluster.before"
    done
    what_stays
    began=$(now_ms)
    aggregator --conditions=false --repair-per-s 2
    eventually 60 left_alone
    eventually 10 metric_is repairs_due 0
    n=$(metric labels_repaired_total)
    say "$n objects in $(($(now_ms) - began)) ms"
    ((n >= 12)) || fail "only $n were repaired"
    (($(now_ms) - began >= (n - 2) * 500)) || fail 'that was more than two a second'
    metric_is repairs_failed_total 0 || fail "$(metric repairs_failed_total) repairs failed"
    for cluster in host source; do
        objects "$cluster" | without_ours >"$E2E_TEST_DIR/$cluster.after"
        without_ours <"$E2E_TEST_DIR/$cluster.before" | diff - "$E2E_TEST_DIR/$cluster.after" ||
            fail "more changed on $cluster"
        assert_eq '["velero.io/schedule-name","velero.io/storage-location"]' \
            "$(on "$cluster" kubectl get backup nightly-20261121 -n openshift-migration -o json |
                jq -c '.metadata.labels | keys')" 'the labels of a foreign Backup'
    done
    on source kubectl get podvolumebackups -n openshift-migration -o json | jq -e --arg uid "$(<"$E2E_CASE_DIR/uid")" "
        [.items[].metadata.labels | [.[\"$PLAN_KEY\"], .[\"$NAME_KEY\"], .[\"$UID_KEY\"]]] | unique ==
        [[\"nginx-plan\", \"migration-aaaaa\", \$uid]]" >/dev/null || fail 'the labels on the source'
}

# a second start reads everything, and writes nothing
test_nothing_to_do() {
    local host source
    what_stays
    aggregator --conditions=false --repair-per-s 100
    eventually 60 left_alone
    end_processes "$E2E_TEST_DIR" aggregator
    host=$(versions host) source=$(versions source)
    aggregator --conditions=false --repair-per-s 100
    eventually 20 sees_all
    sleep 3
    metric_is repairs_due 0 || fail "$(metric repairs_due) are queued"
    metric_is labels_repaired_total 0 || fail "$(metric labels_repaired_total) were written"
    assert_eq "$host" "$(versions host)" 'the host'
    assert_eq "$source" "$(versions source)" 'the source'
}

# what comes while it runs is labelled at once, once its parent is known; of what is no migration's nothing is
test_live() {
    local orphan
    aggregator --conditions=false
    eventually 20 sees_all
    orphan=$(on source create_from "$WM_ROOT/tests/demo/objects/backup-stage.yaml" \
        MIGRATION_UID=00000000-aaaa-bbbb-cccc-000000000000)
    eventually 10 metric_is repairs_waiting 1
    on source kubectl delete backup "$orphan" -n openshift-migration >/dev/null
    MIGRATION_UID=$(<"$E2E_CASE_DIR/uid")
    RESTORE=$(on source story_create restore-stage MIGRATION_UID="$MIGRATION_UID" BACKUP=none)
    eventually 10 restore_labelled
}
restore_labelled() {
    [[ $(on source label_of restore "$RESTORE" "$UID_KEY" openshift-migration) == "$MIGRATION_UID" ]]
}

# the labels of a running migration come with its conditions, in one write
test_running() {
    local before
    on host kubectl create -f - >/dev/null <<END
apiVersion: migration.openshift.io/v1alpha1
kind: MigMigration
metadata: {name: running, namespace: openshift-migration, annotations: {openshift.io/touch: "1"}}
spec: {migPlanRef: {name: nginx-plan, namespace: openshift-migration}, stage: true}
status: {phase: StageBackupCreated, startTimestamp: "2026-11-21T07:05:00Z"}
END
    aggregator
    eventually 20 sees_all
    sleep 2
    before=$(on host kubectl get migmigration running -n openshift-migration -o json | jq -c .metadata.labels)
    assert_eq null "$before" 'labels before mig-controller was quiet'
    on host kubectl annotate migmigration running -n openshift-migration --overwrite openshift.io/touch=2 >/dev/null
    eventually 10 rode_along
}
rode_along() {
    on host kubectl get migmigration running -n openshift-migration -o json | jq -e ".metadata.labels[\"$PLAN_KEY\"] ==
        \"nginx-plan\" and any(.status.conditions[]; .type == \"MigrationProgress\")" >/dev/null
}

# vm_migration NAMESPACE NAME: on the host, with the PVC that VirtRigaud would make for it
vm_migration() {
    on host kubectl create -f - >/dev/null <<END
apiVersion: infra.virtrigaud.io/v1beta1
kind: VMMigration
metadata: {name: $2, namespace: $1}
spec:
  metadata: {project: shop}
  source: {vmRef: {name: $2}, providerRef: {name: vs}}
  target: {name: $2, providerRef: {name: lv}}
  storage: {type: pvc, pvc: {storageClassName: nfs, size: 1Gi}}
END
    on host kubectl create -f - >/dev/null <<END
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: $2-storage
  namespace: $1
  labels: {virtrigaud.io/component: migration-storage, virtrigaud.io/migration: $2}
  ownerReferences: [{apiVersion: infra.virtrigaud.io/v1beta1, kind: VMMigration, name: $2, uid: $(on host uid_of vmmigration "$2" "$1"), controller: true}]
spec: {accessModes: [ReadWriteMany], storageClassName: nfs, resources: {requests: {storage: 1Gi}}}
END
}
# vm_phase NAMESPACE NAME PHASE: as VirtRigaud writes it, through the status subresource
vm_phase() {
    on host kubectl get vmmigration "$2" -n "$1" -o json | jq --arg phase "$3" '.status = {phase: $phase}' |
        on host kubectl replace --raw "/apis/infra.virtrigaud.io/v1beta1/namespaces/$1/vmmigrations/$2/status" -f - >/dev/null
}
# vm_labels NAMESPACE KIND NAME: ours
vm_labels() {
    on host kubectl get "$2" "$3" -n "$1" -o json | jq -r '.metadata.labels // {} | to_entries[] |
        select(.key | startswith("virtrigaud.io/") | not) | "\(.key)=\(.value)"' | sort | xargs
}
VM_LABELS="$NAME_KEY=web $PLAN_KEY=shop waymark.io/source-provider=vs waymark.io/target-provider=lv"
vm_labelled() { [[ $(vm_labels vm vmmigration web) == "$VM_LABELS" ]]; }
claim_labelled() { [[ $(vm_labels vm pvc web-storage) == "$NAME_KEY=web $UID_KEY=$VM_UID $PLAN_KEY=shop waymark.io/source-provider=vs waymark.io/target-provider=lv" ]]; }

# a VMMigration and its PVC are labelled, the one when VirtRigaud does not copy its disk; where PVCs have siblings none is
test_virtual_machines() {
    local name
    on host kubectl create namespace vm >/dev/null
    on host kubectl create namespace vms >/dev/null
    vm_migration vm web
    VM_UID=$(on host uid_of vmmigration web vm)
    vm_phase vm web Exporting
    for name in a b; do
        vm_migration vms $name
        vm_phase vms $name Ready
    done
    aggregator --conditions=false --repair-per-s 100
    eventually 20 sees_all
    eventually 10 claim_labelled
    assert_eq "$NAME_KEY=a $PLAN_KEY=shop waymark.io/source-provider=vs waymark.io/target-provider=lv" \
        "$(vm_labels vms vmmigration a)" 'labels of one that has ended'
    sleep 2
    assert_eq '' "$(vm_labels vm vmmigration web)" 'labels of one whose disk is exported'
    assert_eq '' "$(vm_labels vms pvc a-storage)$(vm_labels vms pvc b-storage)" 'labels of PVCs with a sibling'
    vm_phase vm web Ready
    eventually 10 vm_labelled
    on host kubectl delete vmmigration,pvc --all -n vms >/dev/null
}

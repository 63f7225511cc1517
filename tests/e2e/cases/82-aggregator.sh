# shellcheck shell=bash disable=SC2016,SC2119
# The aggregator over three real control planes: what an operator sees of a migration that runs, and of one that is over.
# shellcheck source=tests/e2e/fleet.sh
source "$WM_ROOT/tests/e2e/fleet.sh"

case_begin() { fleet_up; }

begin() {
    fleet
    connected
    plan nginx-plan source target
    aggregator
    eventually 20 fleet_good
}

# restoring: the stage Restore on the target has begun; of its two volumes one is half done, and a stage pod waits
restoring() {
    local uid
    RESTORE=$(on target story_create restore-stage MIGRATION_UID="$UID_M" BACKUP="$BACKUP")
    uid=$(on target story_uid restore "$RESTORE")
    PVRS=("$(on target story_create podvolumerestore RESTORE="$RESTORE" RESTORE_UID="$uid" VOLUME=nginx-html)"
        "$(on target story_create podvolumerestore RESTORE="$RESTORE" RESTORE_UID="$uid" VOLUME=nginx-logs)")
    velero_is target restore "$RESTORE" '{"phase": "InProgress", "startTimestamp": $now}'
    velero_is target podvolumerestore "${PVRS[0]}" \
        '{"phase": "InProgress", "startTimestamp": $now, "progress": {"bytesDone": 500, "totalBytes": 1000}}'
    stage_pod
}
stage_pod() {
    on target kubectl create -f - >/dev/null <<END
apiVersion: v1
kind: Pod
metadata:
  name: stage-nginx
  namespace: nginx-example
  labels: {migmigration: $UID_M, migration.openshift.io/is-stage-pod: "True"}
spec: {containers: [{name: sleep-0, image: registry.example.com/stage}]}
END
}

# a stage migration over three clusters is told whole: columns, tree, timeline, condition, annotation, Events
test_stage_run() {
    local began ends
    begin
    MIGRATION=migration-aaaaa
    UID_M=$(migration $MIGRATION nginx-plan)
    mig_phase $MIGRATION EnsureStageBackup 26/38
    eventually 5 reported $MIGRATION '.phase == "EnsureStageBackup"'
    began=$SECONDS
    mig_phase $MIGRATION StageBackupCreated 27/38
    eventually 5 reported $MIGRATION '.phase == "StageBackupCreated"'
    backed_up
    sleep 2
    mig_phase $MIGRATION EnsureStageBackupReplicated 28/38
    eventually 5 reported $MIGRATION '.phase == "EnsureStageBackupReplicated"'
    ((SECONDS - began >= 2)) || fail 'the phase was too short to be measured'
    synced
    restoring
    mig_phase $MIGRATION StageRestoreCreated 30/38
    eventually 5 reported $MIGRATION '.phase == "StageRestoreCreated" and .waitsFor.name == "'"$RESTORE"'" and
        .waitsFor.cluster == "target" and .endsBy == "Velero" and .outcome == "running" and .step == "30 of 38"'

    say "$(kubectl get migrationreports -n openshift-migration)"
    assert_contains "nginx-plan   $MIGRATION   StageRestoreCreated   30 of 38   " \
        "$(kubectl get migrationreports -n openshift-migration)" columns
    reported $MIGRATION '[.tree[] | "\(.kind) \(.cluster)"] | sort == ["Backup source", "Backup target", "Pod target",
        "PodVolumeBackup source", "PodVolumeBackup source", "PodVolumeRestore target", "PodVolumeRestore target",
        "Restore target"]' || fail 'the tree'
    reported $MIGRATION '[.timeline[].phase] == ["EnsureStageBackup", "StageBackupCreated", "EnsureStageBackupReplicated",
        "StageRestoreCreated"] and .timeline[1].seconds >= 2 and .timeline[1].seconds <= 30 and
        (.timeline[3] | has("to") | not)' || fail 'the timeline'
    reported $MIGRATION '[.clusters[] | "\(.name) \(.sight)"] == ["host good", "source good", "target good"]' || fail 'the clusters'
    reported $MIGRATION '.progress[] | select(.kind == "PodVolumeRestore") | .objects == 2 and .done == 500' || fail 'the progress'

    eventually 60 polled says $MIGRATION MigrationProgress StageRestoreCreated \
        "waits for Restore openshift-migration/$RESTORE on cluster target"
    ends=$(on target kubectl get restore "$RESTORE" -n openshift-migration -o json | jq -r '.status.startTimestamp |
        fromdate + 3600 | todate[11:]')
    holds "$(condition $MIGRATION MigrationProgress)" '(.message | contains("Velero gives up at") and contains($ends)) and
        (.message | contains("Step 30 of 38")) and .category == "Advisory" and .durable and .status == "True"' \
        --arg ends "$ends" || fail 'the condition'
    assert_contains "waits for Restore $RESTORE on target" "$(verdict $MIGRATION)" verdict
    assert_eq 'Running' "$(mig_object $MIGRATION | jq -r '.status.conditions[] | select(.category == "Advisory" and
        .type != "MigrationProgress") | .type')" "mig-controller's own condition"

    velero_is target restore "$RESTORE" '{"phase": "Completed", "completionTimestamp": $now}'
    mig_end $MIGRATION Succeeded Completed
    eventually 10 says $MIGRATION MigrationOutcome Succeeded 'The stage migration has succeeded'
    eventually 5 reported $MIGRATION '.outcome == "succeeded" and .timeline[-1].phase == "Completed" and
        (.timeline[3].seconds >= 0)'
    # The first phase was there when it was first seen; each that came after it is told once, however often it was polled.
    assert_eq "EnsureStageBackupReplicated Normal 1
StageBackupCreated Normal 1
StageRestoreCreated Normal 1
Succeeded Normal 1" "$(events_of $MIGRATION | grep -v '^EnsureStageBackup ' | sort)" Events
}

# ended_as NAME REASON OUTCOME PART: the condition has REASON, the report OUTCOME, and PART is said of it
ended_as() {
    eventually 15 says "$1" MigrationOutcome "$2" "$4" || return
    says "$1" MigrationProgress Completed || fail "$1: MigrationProgress is not that of an end"
    holds "$(condition "$1" MigrationProgress)" '.status == "False"' || fail "$1 is still said to run"
    eventually 5 reported "$1" ".outcome == \"$3\""
}
# false_success NAME: a DirectVolumeMigration of it has failed, and mig-controller does not see it
false_success() {
    local dvm
    dvm=$(kubectl create -o name -f - <<END
apiVersion: migration.openshift.io/v1alpha1
kind: DirectVolumeMigration
metadata:
  generateName: $1-
  namespace: openshift-migration
  ownerReferences: [{apiVersion: migration.openshift.io/v1alpha1, kind: MigMigration, name: $1, uid: $2, controller: true}]
spec: {}
status:
  observedDigest: ""
  phaseDescription: ""
  phase: MigrationFailed
  failedPods: [{name: rsync-1, namespace: nginx-example}]
  successfulPods: [{name: rsync-2, namespace: nginx-example}, {name: rsync-3, namespace: nginx-example}]
  conditions: [{type: Failed, status: "True", category: Critical, durable: true, reason: RunRsyncOperations,
    lastTransitionTime: "$(rfc3339)", message: The migration has failed.}]
END
    ) || return
    printf '%s\n' "${dvm#*/}"
}

# each end is told as what it is, also a success that is none
test_outcomes() {
    local name dvm uid
    begin
    for name in good warned broken stopped; do
        migration $name nginx-plan >/dev/null
        mig_phase $name StageBackupCreated
    done
    uid=$(migration untrue nginx-plan)
    dvm=$(false_success untrue "$uid")
    mig_phase untrue WaitForDirectVolumeMigrationToComplete

    mig_end good Succeeded Completed
    mig_end warned SucceededWithWarnings Completed '.status.conditions += [{type: "VeleroStageRestorePartiallyFailed",
        status: "True", category: "Warn", durable: true, message: "Look at it.", lastTransitionTime: $now}]'
    mig_end broken Failed StagePodsCreated '.status.itinerary = "Failed" | .status.errors = ["PVC: mysql/data, not-found."]'
    mig_end stopped Canceled CancelRequested '.status.itinerary = "Cancel" | .spec.canceled = true'
    mig_end untrue Succeeded Completed

    ended_as good Succeeded succeeded 'has succeeded'
    ended_as warned SucceededWithWarnings succeeded-with-warnings VeleroStageRestorePartiallyFailed
    ended_as broken Failed failed 'in phase StagePodsCreated: PVC: mysql/data, not-found'
    ended_as stopped Canceled canceled 'was canceled'
    ended_as untrue DataNotMigrated data-not-migrated \
        "DirectVolumeMigration openshift-migration/$dvm on cluster host has failed in phase RunRsyncOperations"
    assert_contains 'Data not migrated' "$(verdict untrue)" verdict
    eventually 5 told untrue 'DataNotMigrated Warning 1'
    eventually 5 told broken 'Failed Warning 1'
    eventually 5 told stopped 'Canceled Normal 1'
}
told() { events_of "$1" | grep -x "$2"; }

# objects_of CLUSTER: every object there with its version
objects_of() {
    local kinds
    kinds=$(on "$1" kubectl api-resources --verbs=list -o name | grep -v '^componentstatuses$' | paste -sd,)
    on "$1" kubectl get "$kinds" --all-namespaces -o json |
        jq -r '.items[].metadata | "\(.selfLink // "") \(.namespace) \(.name) \(.uid) \(.resourceVersion)"' | sort
}
# revision_of CLUSTER: the number of the last write into it, whatever it was
revision_of() { on "$1" kubectl get --raw /api/v1/namespaces/openshift-migration/configmaps | jq -r .metadata.resourceVersion; }

# with a migration that is over and one that waits, nothing is written anywhere in 30 s
test_idle() {
    local name before after
    begin
    migration 'over' nginx-plan >/dev/null
    mig_phase over StageRestoreCreated
    mig_end over Succeeded Completed
    migration waiting nginx-plan >/dev/null
    mig_phase waiting StageRestoreCreated
    MIGRATION=waiting
    eventually 20 polled says waiting MigrationProgress StageRestoreCreated
    ended_as over Succeeded succeeded 'has succeeded'
    sleep 3
    for name in host source target; do objects_of $name >"$E2E_TEST_DIR/$name.before"; done
    before=$(for name in host source target; do revision_of $name; done | xargs)
    sleep 30
    after=$(for name in host source target; do revision_of $name; done | xargs)
    for name in host source target; do
        objects_of $name >"$E2E_TEST_DIR/$name.after"
        diff "$E2E_TEST_DIR/$name.before" "$E2E_TEST_DIR/$name.after" || fail "something was written on $name"
    done
    say "revisions of host, source and target: $before, then $after"
    assert_eq "$before" "$after" 'last writes'
}

# known RESOURCE NAMESPACE COUNT: so many objects are known of the target's namespace ("" = of none)
known() { [[ $(metric "waymark_objects{cluster=\"target\",namespace=\"$2\",resource=\"$1\"}") == "$3" ]]; }
# happens KIND: an Event about an object of that kind in the application's namespace on the target
happens() {
    on target kubectl create -f - >/dev/null <<END
apiVersion: v1
kind: Event
metadata: {generateName: web., namespace: nginx-example}
involvedObject: {apiVersion: v1, kind: $1, namespace: nginx-example, name: web, uid: 5f0c7c0e-0000-4000-8000-000000000001}
type: Warning
reason: Failed
message: told by a test
source: {component: kubelet}
firstTimestamp: "$(rfc3339)"
lastTimestamp: "$(rfc3339)"
count: 1
END
}
lets_go() { ! page metrics | grep -E '^waymark_objects\{.*(namespace="nginx-example"|resource="nodes")'; }

# what tells a cause is watched on the clusters of a migration, and let go with it; what tells none is not kept
test_evidence() {
    begin
    on target kubectl delete events --all -n nginx-example >/dev/null
    lets_go || fail 'something is watched for no migration'
    migration moving nginx-plan >/dev/null
    mig_phase moving StageRestoreCreated
    eventually 20 known events nginx-example 0
    eventually 20 known nodes '' 0
    happens ConfigMap
    happens Pod
    eventually 20 known events nginx-example 1
    eventually 20 reported moving '[.clusters[] | "\(.name) \(.sight)"] == ["host good", "source good", "target good"]'
    mig_end moving Succeeded Completed
    eventually 20 lets_go
    fleet_good || fail "$(page readyz)"
}

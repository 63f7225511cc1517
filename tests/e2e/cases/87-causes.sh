# shellcheck shell=bash disable=SC2016,SC2119
# Why a migration does not get on, told over three real control planes: what users of MTC have met, from the first sign to
# the end.
# shellcheck source=tests/e2e/fleet.sh
source "$WM_ROOT/tests/e2e/fleet.sh"

case_begin() {
    local name
    fleet_up
    for name in source target; do
        on "$name" kubectl get node worker-1 >/dev/null 2>&1 && continue
        made "$name" < <(node_yaml worker-1 && node_yaml worker-2)
        taint "$name" worker-1
        taint "$name" worker-2
    done
}

# begin FLAG...: a plan of two clusters where all is well, and an aggregator with these options
begin() {
    local name
    for name in source target; do on "$name" nothing_left; done
    fleet
    connected
    for name in source target; do made "$name" < <(velero_yaml); done
    plan nginx-plan source target
    aggregator aggregator "$@"
    eventually 30 fleet_good
}
nothing_left() {
    local claim
    for claim in $(kubectl get pvc -n nginx-example -o name); do
        kubectl patch "$claim" -n nginx-example --type merge -p '{"metadata": {"finalizers": null}}' >/dev/null
    done
    kubectl delete pvc,events --all -n nginx-example --wait=false >/dev/null 2>&1
    kubectl delete deployments --all -n openshift-migration >/dev/null 2>&1
}

# --- objects that stand there ---

node_yaml() {
    cat <<END
---
apiVersion: v1
kind: Node
metadata: {name: $1}
status: {conditions: [{type: Ready, status: "${2:-True}", reason: ${3:-KubeletReady}, message: "${4:-kubelet is posting ready status}",
    lastTransitionTime: "$(rfc3339)"}]}
END
}
# taint CLUSTER NODE [TAINT]: it has this taint, or none; the API server gives every new node one
taint() { on "$1" kubectl patch node "$2" --type merge -p '{"spec": {"taints": ['"${3:-}"']}}' >/dev/null; }
# velero_yaml: Velero's server and its node agents, all up
velero_yaml() {
    cat <<END
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: velero, namespace: openshift-migration, labels: {component: velero}}
spec:
  selector: {matchLabels: {component: velero}}
  template: {metadata: {labels: {component: velero}}, spec: {containers: [{name: velero, image: registry.example.com/velero}]}}
status: {replicas: 1, readyReplicas: 1, availableReplicas: 1}
END
    server_pod velero-1 '{component: velero, app.kubernetes.io/instance: velero}' worker-1
    server_pod restic-1 '{name: restic}' worker-1
    server_pod restic-2 '{name: restic}' worker-2
}
server_pod() {
    cat <<END
---
apiVersion: v1
kind: Pod
metadata: {name: $1, namespace: openshift-migration, labels: $2}
spec: {nodeName: $3, containers: [{name: main, image: registry.example.com/velero}]}
status:
  phase: Running
  startTime: "$(ago 7200)"
  conditions: [{type: Ready, status: "True"}]
  containerStatuses: [{name: main, ready: true, restartCount: 0, image: a, imageID: a, state: {running: {startedAt: "$(ago 7200)"}}}]
END
}
claim_yaml() {
    cat <<END
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $1, namespace: nginx-example, finalizers: [kubernetes.io/pvc-protection]}
spec: {accessModes: [ReadWriteOnce], storageClassName: ${3:-ebs}, resources: {requests: {storage: 1Gi}}, volumeName: "${4:-}"}
status: {phase: $2}
END
}
# stage_pod NODE STATUS [NAME]: as mig-controller makes it, and as Velero restores it; STATUS is YAML in one line
stage_pod() {
    cat <<END
---
apiVersion: v1
kind: Pod
metadata:
  name: ${3:-stage-nginx}
  namespace: nginx-example
  labels: {migmigration: $UID_M, migration.openshift.io/is-stage-pod: "True"}
spec:
  nodeName: "$1"
  initContainers: [{name: restic-wait, image: registry.example.com/restic-wait}]
  containers: [{name: sleep-0, image: registry.example.com/stage}]
  volumes: [{name: logs, persistentVolumeClaim: {claimName: nginx-logs}}]
status: $2
END
}
init_status() {
    printf '{phase: Pending, initContainerStatuses: [{name: restic-wait, ready: false, restartCount: 0, image: a, imageID: "",
    state: {%s}}]}\n' "$1"
}
application_pod() {
    cat <<END
---
apiVersion: v1
kind: Pod
metadata:
  name: nginx-559d-6ngmb
  namespace: nginx-example
  labels: {pod-template-hash: 559d}
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: nginx-559d, uid: 5b0c8f38-0f0a-4b5d-9d0e-000000000001, controller: true}]
spec:
  nodeName: worker-2
  containers: [{name: nginx, image: registry.example.com/nginx}]
  volumes: [{name: logs, persistentVolumeClaim: {claimName: nginx-logs}}]
status: {phase: Running, startTime: "$(ago 7200)", conditions: [{type: Ready, status: "True"}]}
END
}

# --- what is said ---

# stalled REASON [PART...]: the condition is true for this reason, and each PART is in its message
stalled() {
    local part
    mig_round "$MIGRATION"
    sleep 3
    holds "$(condition "$MIGRATION" MigrationStalled)" '.status == "True" and .reason == $r' --arg r "$1" || return
    for part in "${@:2}"; do says "$MIGRATION" MigrationStalled "$1" "$part" || return; done
}
# stuck REASON [PART...]: the report says so, with the words of the condition, which comes at most twice a minute
stuck() {
    reported "$MIGRATION" '.pace == "stalled" and .stall.cause == $ARGS.positional[0] and
        (.stall.message as $m | all($ARGS.positional[1:][]; . as $part | $m | contains($part)))' --args "$@"
}
# found CAUSE FILTER: the first finding of the report is this, and the filter is true of it
found() { reported "$MIGRATION" ".findings[0] | .cause == \"$1\" and (${2:-true})" "${@:3}"; }
# nothing_found: no finding, and no word of a stall
nothing_found() {
    reported "$MIGRATION" '(.findings | length) == 0 and (has("stall") | not)' || return
    assert_eq '' "$(condition "$MIGRATION" MigrationStalled)" 'the condition MigrationStalled'
}

# --- a volume that somebody else holds ---

MULTI_ATTACH='Multi-Attach error for volume "pvc-logs" Volume is already used by pod(s) nginx-559d-6ngmb'

# held_volume NAME BEGAN: the stage Restore of migration NAME began at BEGAN, and its pod cannot get the volume
held_volume() {
    local uid
    MIGRATION=$1
    UID_M=$(migration "$MIGRATION" nginx-plan)
    mig_phase "$MIGRATION" StageBackupCreated 27/38
    backed_up
    synced
    RESTORE=$(on target story_create restore-stage MIGRATION_UID="$UID_M" BACKUP="$BACKUP")
    made target < <(claim_yaml nginx-logs Bound ebs pvc-logs && application_pod &&
        stage_pod worker-1 "$(init_status 'waiting: {reason: PodInitializing}')")
    uid=$(on target story_uid restore "$RESTORE")
    PVR=$(on target kubectl create -o name -f - <<END
apiVersion: velero.io/v1
kind: PodVolumeRestore
metadata:
  generateName: $RESTORE-
  namespace: openshift-migration
  labels: {velero.io/restore-name: $RESTORE, velero.io/restore-uid: $uid}
  ownerReferences: [{apiVersion: velero.io/v1, kind: Restore, name: $RESTORE, uid: $uid, controller: true}]
spec:
  backupStorageLocation: automatic-xg6ph
  pod: {kind: Pod, namespace: nginx-example, name: stage-nginx, uid: $(on target uid_of pod stage-nginx nginx-example)}
  repoIdentifier: s3:s3.example.com/bucket/velero/restic/nginx-example
  snapshotID: 7f3c9a1b
  sourceNamespace: nginx-example
  volume: logs
END
    )
    PVR=${PVR#*/}
    velero_is target restore "$RESTORE" '{"phase": "InProgress", "startTimestamp": "'"$2"'"}'
    mig_phase "$MIGRATION" StageRestoreCreated 30/38
    eventually 20 reported "$MIGRATION" '.waitsFor.name == "'"$RESTORE"'"'
    warns target Pod stage-nginx FailedAttachVolume "$MULTI_ATTACH"
}
copied() { velero_is target podvolumerestore "$PVR" '{"phase": "InProgress", "startTimestamp": $now,
    "progress": {"bytesDone": '"$1"', "totalBytes": 1000}}'; }

# a volume that a left-over application holds is named with its holder and with what to do, until it is free
test_multi_attach() {
    local began ends
    begin
    began=$(ago 2400)
    # The day stands before the time where it is another than that of the beginning.
    ends=$(jq -rn --arg at "$began" '$at | fromdate + 3600 | todate[11:]')
    held_volume held "$began"
    eventually 90 stalled VolumeMultiAttach 'Pod nginx-example/stage-nginx on cluster target' \
        'Pod nginx-example/nginx-559d-6ngmb on cluster target' 'on node worker-2' "Velero gives up at" "$ends" \
        'kubectl --context target -n nginx-example scale deployment/nginx --replicas=0'
    found VolumeMultiAttach '.event.message == $m and .event.reason == "FailedAttachVolume" and .object.cluster == "target" and
        .other.name == "nginx-559d-6ngmb" and .through[-1].name == "held"' --arg m "$MULTI_ATTACH" || fail 'the finding'
    reported held '.pace == "stalled" and .stall.cause == "VolumeMultiAttach"' || fail 'the pace'
    assert_contains VolumeMultiAttach "$(verdict held)" verdict
    eventually 10 told 'VolumeMultiAttach Warning 1'
    [[ -z ${WAYMARK_SHOW:-} ]] || kubectl describe migmigration held -n openshift-migration >"$WAYMARK_SHOW"

    on target kubectl delete pod nginx-559d-6ngmb -n nginx-example --grace-period=0 --force >/dev/null 2>&1
    becomes target < <(stage_pod worker-1 "$(init_status "running: {startedAt: \"$(rfc3339)\"}")")
    copied 100
    # A cause's own write borrows the next half minute, and what is said once the holder is gone may take the one after.
    eventually 120 polled moves_again
    eventually 10 told 'MovesAgain Normal 1'
    reported held '.findings == [] and .stall.to' || fail 'what was found is still said'
}
told() { events_of "$MIGRATION" | grep -x "$1"; }
moves_again() {
    copied $((SECONDS + 100))
    holds "$(condition "$MIGRATION" MigrationStalled)" '.status == "False" and .reason == "MovesAgain"'
}

# running PHASE [FIELDS]: the migration story of our plan is in that phase
running() {
    MIGRATION=story
    UID_M=$(migration story nginx-plan "${2:-}")
    mig_phase story "$1"
    eventually 20 reported story ".phase == \"$1\""
}
# backup_is STATUS: makes the stage Backup on the source, with that status
backup_is() {
    BACKUP=$(on source story_create backup-stage MIGRATION_UID="$UID_M")
    velero_is source backup "$BACKUP" "$1"
}

# a volume that is held until Velero gives up is told at the end, too, as what it was
test_multi_attach_to_the_end() {
    local began
    begin --pod-volume-timeout-s 60
    began=$(ago 30)
    held_volume lost "$began"
    eventually 60 stuck VolumeMultiAttach
    eventually 90 is_after "$began" 60
    velero_is target restore "$RESTORE" '{"phase": "PartiallyFailed", "errors": 1, "completionTimestamp": $now}'
    mig_end lost SucceededWithWarnings Completed '.status.conditions += [{type: "VeleroStageRestorePartiallyFailed",
        status: "True", category: "Warn", durable: true, message: "Look at it.", lastTransitionTime: $now}]'
    eventually 30 says lost MigrationOutcome SucceededWithWarnings 'before that: Stalled since'
    says lost MigrationOutcome SucceededWithWarnings 'because Pod nginx-example/nginx-559d-6ngmb on cluster target' ||
        fail 'the outcome'
    eventually 60 reported lost '.pace == "over" and .stall.cause == "VolumeMultiAttach" and .stall.to and
        (.stall.message | contains($m)) and .findings[0].cause == "VolumeLeftUnfinished"' --arg m "$MULTI_ATTACH"
    assert_eq '' "$(condition lost MigrationStalled)" 'the condition of what is over'
}
is_after() { (($(date +%s) > $(date -d "$1" +%s) + $2)); }

# a stage image that cannot be pulled is named with the setting where it stands
test_stage_image() {
    begin
    running StagePodsCreated
    made source < <(claim_yaml nginx-logs Bound && stage_pod worker-1 '{phase: Pending, containerStatuses: [{name: sleep-0,
        ready: false, restartCount: 0, image: registry.example.com/stage, imageID: "",
        state: {waiting: {reason: ImagePullBackOff, message: Back-off pulling image}}}]}')
    warns source Pod stage-nginx Failed 'Failed to pull image "registry.example.com/stage": not found'
    eventually 60 stuck StageImagePull 'Pod nginx-example/stage-nginx on cluster source' registry.example.com/stage \
        STAGE_IMAGE '"canceled":true' 'kubectl --context source -n openshift-migration get configmap migration-cluster-config' \
        'not found. Do: cancel the migration'
    found StageImagePull '.event.reason == "Failed" and .object.cluster == "source"' || fail 'the finding'
}

# a node that is gone is named; one that takes no more pods harms none; a pod that was driven away is named
test_nodes() {
    begin
    running StageBackupCreated
    backup_is '{"phase": "InProgress", "startTimestamp": $now}'
    taint source worker-1 '{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}'
    made source < <(claim_yaml nginx-logs Bound && stage_pod worker-1 "$READY" stage-here &&
        stage_pod worker-2 "$READY" stage-there)
    becomes source < <(node_yaml worker-2 Unknown NodeStatusUnknown 'Kubelet stopped posting node status.')
    taint source worker-2 '{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}'
    eventually 60 stuck NodeUnreachable 'Node worker-2 on cluster source' 'stopped posting' \
        'kubectl --context source describe node worker-2'
    reported story '[.findings[].object.name] | index("worker-1") | not' || fail 'a cordoned node is blamed'

    becomes source < <(node_yaml worker-2)
    taint source worker-2
    eventually 60 reported story '.findings == []'
    taint source worker-1 '{"key": "maintenance", "effect": "NoExecute"}'
    becomes source < <(stage_pod worker-1 '{phase: Failed, conditions: [{type: DisruptionTarget, status: "True",
        reason: DeletionByTaintManager, message: "Taint manager: deleting due to NoExecute taint"}]}' stage-here)
    eventually 60 stuck PodEvicted 'stage-here on cluster source' 'node worker-1' DeletionByTaintManager
    taint source worker-1
}
READY='{phase: Running, conditions: [{type: Ready, status: "True"}], containerStatuses: [{name: sleep-0, ready: true,
    restartCount: 0, image: a, imageID: a, state: {running: {}}}]}'

# marking very many objects is slow, and not called stalled
test_slow_annotations() {
    begin --thresholds quiet=5
    running AnnotateResources
    eventually 60 reported story '.pace == "slow" and .findings[0].cause == "AnnotateSlow"'
    sleep 3
    polled assert_eq '' "$(condition story MigrationStalled)" 'the condition of what is slow'
    reported story '.pace == "slow" and (has("stall") | not)' || fail 'it is called stalled'
}

# crashing YAML of the server's pod
crashing() {
    cat <<END
---
apiVersion: v1
kind: Pod
metadata: {name: velero-1, namespace: openshift-migration, labels: {component: velero, app.kubernetes.io/instance: velero}}
status:
  phase: Running
  containerStatuses: [{name: main, ready: false, restartCount: 7, image: a, imageID: a,
      state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled,
      finishedAt: "$(rfc3339)"}}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: velero, namespace: openshift-migration}
status: {replicas: 1, readyReplicas: 0, unavailableReplicas: 1}
END
}
# Velero that is killed for its memory is the cause of what it does not begin
test_velero_down() {
    begin --thresholds startup=5,queue=5
    running StageBackupCreated
    backup_is '{"phase": "New"}'
    becomes source < <(crashing)
    eventually 60 stuck ContainerOutOfMemory 'velero-1 on cluster source' OOMKilled \
        'kubectl --context source -n openshift-migration edit migrationcontroller'
    eventually 20 reported story 'any(.findings[]; .cause == "VeleroDown" and .because == "ContainerOutOfMemory")'
}

# what Velero does first is waited for as long as it may last; when it will never end, it is the cause
test_head_of_line() {
    local other
    begin --thresholds startup=5,queue=5 --pod-volume-timeout-s 60
    UID_M=$(migration other other-plan)
    mig_phase other StageBackupCreated
    backup_is '{"phase": "InProgress", "startTimestamp": "'"$(ago 600)"'"}' # 60 s more, and nobody believes in it
    other=$BACKUP
    running StageBackupCreated
    backup_is '{"phase": "New"}'
    eventually 60 reported story '.pace == "waits" and (.findings[0] | .cause == "VeleroQueue" and .other.name == "'"$other"'" and
        (.message | contains("of migration other")))'
    assert_eq '' "$(condition story MigrationStalled)" 'the condition of what waits'
    eventually 120 stuck StaleVeleroObject "Backup openshift-migration/$other on cluster source holds up" "$BACKUP" \
        "delete Backup $other"
}

# a migration in the plan's queue is told who goes first, and whether that one is stuck itself
test_plan_queue() {
    begin
    running StageBackupCreated
    backup_is '{"phase": "InProgress", "startTimestamp": $now}'
    MIGRATION=second
    migration second nginx-plan >/dev/null
    mig_write second '.status.conditions = [{type: "Postponed", status: "True", category: "Critical", durable: true,
        message: "Postponed 10 seconds to ensure migrations run serially and in order.", lastTransitionTime: $now}]'
    eventually 60 reported second '.pace == "waits" and (.findings[0] | .cause == "MigrationPostponed" and
        .object.name == "story" and (.message | contains("place 2 in the queue")))'
    assert_eq '' "$(condition second MigrationStalled)" 'the condition of what waits'
    blocked story
    eventually 90 stuck PostponedByStuck 'MigMigration openshift-migration/story' PlanNotReady
}
# blocked MIGRATION: mig-controller does nothing for it any more, for its plan is not ready
blocked() {
    mig_write "$1" '.status.conditions = [(.status.conditions // [])[] | select(.type != "Running")] + [{type: "PlanNotReady",
        status: "True", category: "Critical", message: "The referenced `migPlanRef` does not have a `Ready` condition.",
        lastTransitionTime: $now}]'
}

# --- a migration where all is well ---

# goes_on PHASE: it is in that phase, and nothing is wrong
goes_on() {
    mig_phase good "$1"
    eventually 20 reported good ".phase == \"$1\""
    nothing_found || fail "$1: something was found"
}
# velero_does CLUSTER KIND OBJECT [VARIABLE=VALUE...]: makes it from the demo's object, works on it, and completes it
velero_does() {
    VELERO_DID=$(on "$1" story_create "$3" MIGRATION_UID="$UID_M" PLAN_UID="$UID_M" "${@:4}")
    velero_is "$1" "$2" "$VELERO_DID" '{"phase": "InProgress", "startTimestamp": $now}'
    velero_is "$1" "$2" "$VELERO_DID" '{"phase": "Completed", "completionTimestamp": $now}'
}
# of a migration that succeeds nothing is ever said but where it is, with all its objects on their clusters
test_success() {
    local initial ITINERARY=Final
    begin
    MIGRATION=good
    UID_M=$(migration good nginx-plan 'stage: false, quiescePods: true')
    goes_on EnsureInitialBackup
    velero_does source backup backup-initial
    initial=$VELERO_DID
    goes_on InitialBackupCreated
    backed_up
    goes_on StageBackupCreated
    synced
    velero_does target restore restore-stage BACKUP="$BACKUP"
    goes_on StageRestoreCreated
    BACKUP=$initial synced
    velero_does target restore restore-final BACKUP="$initial"
    goes_on FinalRestoreCreated
    eventually 20 reported good '[.tree[] | select(.depth == 1) | "\(.kind) \(.cluster)"] | sort == ["Backup source",
        "Backup source", "Backup target", "Backup target", "Restore target", "Restore target"]'
    mig_end good Succeeded Completed
    eventually 30 says good MigrationOutcome Succeeded
    eventually 20 reported good '.outcome == "succeeded" and .pace == "over"'
    nothing_found || fail 'something was found at the end'
    ! events_of good | grep -q Warning || fail "$(events_of good)"
}

# --- what else users have met ---

# a stage pod that gets no node is traced to the storage class that its claim asks for
test_storage_class() {
    begin
    running StagePodsCreated
    made source < <(claim_yaml nginx-logs Pending gold && stage_pod '' '{phase: Pending, conditions: [{type: PodScheduled,
        status: "False", reason: Unschedulable, lastTransitionTime: "'"$(rfc3339)"'",
        message: "0/3 nodes are available: 3 pod has unbound immediate PersistentVolumeClaims."}]}')
    warns source PersistentVolumeClaim nginx-logs ProvisioningFailed 'storageclass.storage.k8s.io "gold" not found'
    eventually 60 stuck ClaimNoStorageClass 'PersistentVolumeClaim nginx-example/nginx-logs on cluster source' \
        'no storage class gold' 'get storageclasses'
    eventually 20 reported story 'any(.findings[]; .cause == "PodClaimUnbound" and .because == "ClaimNoStorageClass")'
}

# a plan that turned invalid midway is told with what it complains of
test_plan_invalid() {
    begin
    running WaitForRefresh
    kubectl patch migplan nginx-plan -n openshift-migration --type merge -p '{"spec": {"refresh": true}, "status": {"conditions":
        [{"type": "NamespaceNotFoundOnSourceCluster", "status": "True", "category": "Critical", "reason": "NotFound",
        "message": "Namespaces [robot-shop] not found on the source cluster.", "lastTransitionTime": "'"$(rfc3339)"'"}]}}' \
        >/dev/null
    blocked story
    eventually 60 stuck NamespaceMissing 'MigPlan openshift-migration/nginx-plan' robot-shop
    running_no_more || fail 'it is said to run'
}
running_no_more() { reported story '.outcome == "blocked" and .pace == "stalled"'; }

# rsync that cannot reach the target is told with both clusters and with where to look
test_rsync_network() {
    local dvm dvm_uid dvmp
    begin
    running WaitForDirectVolumeMigrationToComplete
    dvm=$(story_create directvolumemigration MIGRATION_UID="$UID_M")
    dvm_uid=$(story_uid directvolumemigration "$dvm")
    dvmp=$(story_create directvolumemigrationprogress DVM="$dvm" DVM_UID="$dvm_uid" NAME=0123456789abcdef)
    kubectl patch directvolumemigrationprogress "$dvmp" -n openshift-migration --type merge -p '{"status": {"podName": "rsync-1",
        "phase": "Failed", "exitCode": 10, "logMessage": "rsync error: error in socket IO (code 10)"}}' >/dev/null
    kubectl patch directvolumemigration "$dvm" -n openshift-migration --type merge -p '{"status": {"observedDigest": "",
        "phaseDescription": "", "phase": "RunRsyncOperations", "conditions": [{"type": "SourceToDestinationNetworkError",
        "status": "True", "category": "Critical", "durable": true, "reason": "RsyncTimedOut",
        "message": "Rsync pods cannot connect to the destination cluster.", "lastTransitionTime": "'"$(rfc3339)"'"}]}}' >/dev/null
    eventually 60 stuck RsyncNetwork 'from cluster source to cluster target' "DirectVolumeMigration openshift-migration/$dvm" \
        'Rsync pods cannot connect' NetworkPolicy
    eventually 20 reported story 'any(.findings[]; .cause == "RsyncConnectionLost" and (.message | contains("exit code 10")))'
}

# a rollback that waits for a claim names the pod that still holds it, even one that has completed
test_rollback() {
    local ITINERARY=Rollback
    begin --thresholds startup=5
    made target < <(claim_yaml data Bound ebs pvc-data && cat <<END
---
apiVersion: v1
kind: Pod
metadata: {name: db-1-deploy, namespace: nginx-example}
spec:
  nodeName: worker-1
  containers: [{name: deploy, image: registry.example.com/deployer}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
status: {phase: Succeeded}
END
    )
    running EnsureMigratedDeleted 'stage: false, rollback: true'
    on target kubectl delete pvc data -n nginx-example --wait=false >/dev/null
    eventually 60 stuck ClaimHeldByPod 'PersistentVolumeClaim nginx-example/data on cluster target is being deleted' \
        'Pod nginx-example/db-1-deploy on cluster target (Succeeded)' \
        'kubectl --context target -n nginx-example delete pod db-1-deploy'
}

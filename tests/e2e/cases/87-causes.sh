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
        untaint "$name" worker-1
        untaint "$name" worker-2
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
# untaint CLUSTER NODE [TAINT]: it has this taint, or none; the API server gives every new node one
untaint() { on "$1" kubectl patch node "$2" --type merge -p '{"spec": {"taints": ['"${3:-}"']}}' >/dev/null; }
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
metadata: {name: $1, namespace: nginx-example, labels: {migration.openshift.io/migrated-by-migplan: plan}}
spec: {accessModes: [ReadWriteOnce], storageClassName: ${3:-ebs}, resources: {requests: {storage: 1Gi}}, volumeName: "${4:-}"}
status: {phase: $2}
END
}
# stage_pod NODE STATUS: as mig-controller makes it, and as Velero restores it, with STATUS, YAML in one line
stage_pod() {
    cat <<END
---
apiVersion: v1
kind: Pod
metadata:
  name: stage-nginx
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
    sleep 1
    holds "$(condition "$MIGRATION" MigrationStalled)" '.status == "True" and .reason == $r' --arg r "$1" || return
    for part in "${@:2}"; do says "$MIGRATION" MigrationStalled "$1" "$part" || return; done
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
    ends=$(jq -rn --arg at "$began" '$at | fromdate + 3600 | todate[11:]')
    held_volume held "$began"
    eventually 60 stalled VolumeMultiAttach 'Pod nginx-example/stage-nginx on cluster target' \
        'Pod nginx-example/nginx-559d-6ngmb on cluster target' 'on node worker-2' "Velero gives up at $ends" \
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
    eventually 60 polled moves_again
    eventually 10 told 'MovesAgain Normal 1'
    reported held '.findings == [] and .stall.to' || fail 'what was found is still said'
}
told() { events_of "$MIGRATION" | grep -x "$1"; }
moves_again() {
    copied $((SECONDS + 100))
    holds "$(condition "$MIGRATION" MigrationStalled)" '.status == "False" and .reason == "MovesAgain"'
}

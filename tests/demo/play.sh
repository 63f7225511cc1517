# shellcheck shell=bash
# Plays mig-controller and Velero: one stage migration on three clusters, phase by phase, a few minutes' work in half a one.
# Sourced by the demo; play_on says which clusters, play_begin creates the migration, play_all runs it to its end.
# shellcheck source=tests/demo/story.sh
source "$(dirname "${BASH_SOURCE[0]}")/story.sh"

PLAY_PLAN=wiki-plan PLAY_MIGRATION=wiki-stage PLAY_APPLICATION=wiki
PLAY_BYTES=734003200 # a volume's
PLAY_OBJECTS=$WM_ROOT/tests/demo/objects
VELERO=/apis/velero.io/v1/namespaces/$STORY_NAMESPACE
MIGMIGRATION=/apis/migration.openshift.io/v1alpha1/namespaces/$STORY_NAMESPACE/migmigrations/$PLAY_MIGRATION

declare -A play_dir play_url

# play_on ROLE CLUSTER: which cluster is host, source, target
play_on() {
    local line
    while read -r line; do
        case $line in
            DIR=*) play_dir[$1]=${line#*=} ;;
            URL=*) play_url[$1]=${line#*=} ;;
        esac
    done < <(bash "$WM_ROOT/tests/cluster/cluster.sh" env "$2")
}

# at ROLE COMMAND...: with kubectl speaking to that cluster
at() { KUBECONFIG=${play_dir[$1]}/kubeconfig "${@:2}"; }

# api ROLE PATH [CURL_OPTION...]: kubectl takes too long for what happens many times a second
api() {
    local dir=${play_dir[$1]}
    curl -sS --fail --noproxy '*' --max-time 5 --cacert "$dir/pki/ca.crt" -H "@$dir/pki/admin.header" \
        "${play_url[$1]}$2" "${@:3}"
}
# put ROLE PATH: stores the object on stdin;  change ROLE PATH JSON: merges it into the object
put() { api "$1" "$2" -o /dev/null -X PUT -H 'Content-Type: application/json' --data-binary @-; }
change() { api "$1" "$2" -o /dev/null -X PATCH -H 'Content-Type: application/merge-patch+json' -d "$3"; }

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

# play_create ROLE FILE [NAME=VALUE...]: an object of the story, about this application; prints its name
play_create() {
    local text
    text=$(render "$PLAY_OBJECTS/$2.yaml" "${@:3}") || return
    text=${text//migration-aaaaa/"$PLAY_MIGRATION"}
    text=${text//nginx-example/"$PLAY_APPLICATION"}
    text=${text//nginx/"$PLAY_APPLICATION"}
    text=$(at "$1" kubectl create -f - -o name <<<"$text") || return
    printf '%s\n' "${text#*/}"
}
# play_uid ROLE KIND NAME
play_uid() { at "$1" uid_of "$2" "$3" "$STORY_NAMESPACE"; }

# --- mig-controller ---

# The itinerary is the one that Waymark knows: lines of "phase step-of-the-pipeline"; the first phase, "", is not told.
mapfile -t PLAY_ITINERARY < <(awk -F'"' '
    /wm_stage_stops\[\]/ { on = 1 }
    on && index($0, "{0}") { exit }
    on && NF > 2 { print $2, $4 }' "$WM_ROOT/lib/diag/itinerary_table.c")

# What does not apply to a migration of volumes by way of Velero, without images, that leaves its application running.
PLAY_SKIPPED=' CreateRegistries CreateDirectImageMigration QuiesceSourceApplications EnsureSrcQuiesced
    CreateDirectVolumeMigrationStage RestartRestic WaitForResticReady WaitForRegistriesReady
    WaitForDirectImageMigrationToComplete WaitForDirectVolumeMigrationToComplete SwapPVCReferences DeleteRegistries '

play_phase='' play_step='' play_place=0
# play_round [PROGRESS_LINE...]: one write of the whole object; who wrote in between is respected
play_round() {
    local lines
    lines=$(jq -nc '$ARGS.positional' --args "$@")
    until api host "$MIGMIGRATION" |
        jq --arg phase "$play_phase" --arg step "$play_step" --arg place "$play_place" \
            --arg total "${#PLAY_ITINERARY[@]}" --argjson progress "$lines" \
            --arg touch "$(</proc/sys/kernel/random/uuid)" --arg now "$(now)" -f "$WM_ROOT/tests/demo/play.jq" |
        put host "$MIGMIGRATION" 2>/dev/null; do
        sleep 0.1
    done
}
# play_wait ROUNDS [PROGRESS_LINE...]: rounds that find nothing new
play_wait() {
    local rounds=$1
    for (( ; rounds > 0; rounds--)); do
        sleep 0.7
        play_round "${@:2}"
    done
}

# --- Velero ---

# volumes_move ROLE RESOURCE SINGULAR PARENT_PATH ITEMS NAME...: the PodVolume* objects of a Backup or a Restore, from
# nothing to done
volumes_move() {
    local role=$1 resource=$2 kind=$3 parent=$4 items=$5 name part phase copied time
    local -a lines
    shift 5
    for part in 0 1 2 3 4 5; do
        copied=$((PLAY_BYTES * part / 5)) phase=InProgress time='' lines=()
        ((part > 0)) || time=",\"startTimestamp\":\"$(now)\""
        ((part < 5)) || phase=Completed time=",\"completionTimestamp\":\"$(now)\""
        for name in "$@"; do
            change "$role" "$VELERO/$resource/$name" "{\"status\":{\"phase\":\"$phase\",
                \"progress\":{\"bytesDone\":$copied,\"totalBytes\":$PLAY_BYTES}$time}}"
            lines+=("$kind $STORY_NAMESPACE/$name: $((copied >> 20)) MB out of $((PLAY_BYTES >> 20)) MB")
        done
        change "$role" "$parent" "{\"status\":{\"progress\":{\"$items\":$((part * 4)),\"totalItems\":20}}}"
        play_round "${lines[@]}"
        sleep 0.5
    done
}
begins() { change "$1" "$2" "{\"status\":{\"phase\":\"InProgress\",\"startTimestamp\":\"$(now)\"}}"; }
completes() { change "$1" "$2" "{\"status\":{\"phase\":\"Completed\",\"completionTimestamp\":\"$(now)\"}}"; }

# synced PATH [JQ_FILTER]: an object of the source cluster as Velero's sync writes it on the target
synced() {
    api source "$1" | jq "del(.metadata.uid, .metadata.resourceVersion, .metadata.creationTimestamp,
        .metadata.managedFields, .metadata.generation) | ${2:-.}" | at target kubectl create -f - >/dev/null
}

stage_pod() { play_create "$1" play-stage-pod MIGRATION_UID="$PLAY_UID" PLAN_UID="$PLAY_PLAN_UID" >/dev/null; }
stage_pod_runs() { change "$1" "$STAGE_POD/status" "{\"status\":{\"phase\":\"Running\",\"startTime\":\"$(now)\"}}"; }
STAGE_POD=/api/v1/namespaces/$PLAY_APPLICATION/pods/stage-$PLAY_APPLICATION-deployment-6c79-gflm6

# --- what happens in the phases that wait, and in those that create; the others only pass ---

in_WaitForRefresh() { play_wait 2; }
in_EnsureStagePodsFromRunning() { stage_pod source; }
in_StagePodsCreated() {
    play_wait 2 "Pod $PLAY_APPLICATION/${STAGE_POD##*/}: Pending"
    stage_pod_runs source
}
in_EnsureStageBackup() {
    play_backup=$(play_create source backup-stage MIGRATION_UID="$PLAY_UID")
    change source "$VELERO/backups/$play_backup" '{"status":{"phase":"New"}}'
}
in_StageBackupCreated() {
    local uid volume
    play_wait 1
    uid=$(play_uid source backup "$play_backup")
    begins source "$VELERO/backups/$play_backup"
    play_pvbs=()
    for volume in pages uploads; do
        play_pvbs+=("$(play_create source podvolumebackup BACKUP="$play_backup" BACKUP_UID="$uid" VOLUME="$volume")")
    done
    volumes_move source podvolumebackups PodVolumeBackup "$VELERO/backups/$play_backup" itemsBackedUp "${play_pvbs[@]}"
    completes source "$VELERO/backups/$play_backup"
}
in_EnsureStageBackupReplicated() {
    local uid name
    play_wait 2
    synced "$VELERO/backups/$play_backup" '.metadata.labels["velero.io/storage-location"] = "automatic-xg6ph"'
    uid=$(play_uid target backup "$play_backup")
    for name in "${play_pvbs[@]}"; do
        synced "$VELERO/podvolumebackups/$name" ".metadata.ownerReferences[0].uid = \"$uid\"
            | .metadata.labels[\"velero.io/backup-uid\"] = \"$uid\""
    done
}
in_EnsureStageRestore() {
    play_restore=$(play_create target restore-stage MIGRATION_UID="$PLAY_UID" BACKUP="$play_backup")
    change target "$VELERO/restores/$play_restore" '{"status":{"phase":"New"}}'
}
in_StageRestoreCreated() {
    local uid volume
    local -a pvrs=()
    play_wait 1
    uid=$(play_uid target restore "$play_restore")
    begins target "$VELERO/restores/$play_restore"
    stage_pod target
    stage_pod_runs target
    for volume in pages uploads; do
        pvrs+=("$(play_create target podvolumerestore RESTORE="$play_restore" RESTORE_UID="$uid" VOLUME="$volume")")
    done
    volumes_move target podvolumerestores PodVolumeRestore "$VELERO/restores/$play_restore" itemsRestored "${pvrs[@]}"
    completes target "$VELERO/restores/$play_restore"
}
in_EnsureStagePodsDeleted() {
    local role
    for role in source target; do
        api "$role" "$STAGE_POD?gracePeriodSeconds=0" -o /dev/null -X DELETE
    done
}
in_EnsureStagePodsTerminated() { play_wait 1; }

# --- all ---

# play_begin: what was there before, and what the user creates; sets PLAY_UID
play_begin() {
    local role
    at host kubectl apply -f "$PLAY_OBJECTS/play-setup.yaml" >/dev/null
    PLAY_PLAN_UID=$(play_uid host migplan "$PLAY_PLAN")
    for role in source target; do
        at "$role" kubectl create namespace "$STORY_NAMESPACE" >/dev/null
        at "$role" kubectl create namespace "$PLAY_APPLICATION" >/dev/null
    done
}
# play_all: from its creation to its end
play_all() {
    local row
    play_create host play-migration >/dev/null
    PLAY_UID=$(play_uid host migmigration "$PLAY_MIGRATION")
    for row in "${PLAY_ITINERARY[@]}"; do
        play_place=$((play_place + 1))
        read -r play_phase play_step <<<"$row"
        [[ -n $play_step && $PLAY_SKIPPED != *[[:space:]]"$play_phase"[[:space:]]* ]] || continue
        play_round
        ! declare -F "in_$play_phase" >/dev/null || "in_$play_phase"
        sleep 0.1
    done
}

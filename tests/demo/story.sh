# shellcheck shell=bash disable=SC2034
# One migration with all that it leaves behind, in the order in which users, mig-controller and Velero create it. Sourced
# by the demo and by end-to-end tests. Each function sets the names it made.
# shellcheck source=tests/dev/kube.sh
source "$(dirname "${BASH_SOURCE[0]}")/../dev/kube.sh"

STORY_NAMESPACE=openshift-migration
STORY_KINDS=migmigrations,backups,restores,podvolumebackups,podvolumerestores
STORY_KINDS+=,directvolumemigrations,directvolumemigrationprogresses,directimagemigrations,directimagestreammigrations

story_create() {
    local file=$WM_ROOT/tests/demo/objects/$1.yaml
    shift
    create_from "$file" "$@"
}
story_uid() { uid_of "$1" "$2" "$STORY_NAMESPACE"; }

# What an administrator has done before.
story_setup() {
    kubectl get namespace "$STORY_NAMESPACE" >/dev/null 2>&1 || kubectl create namespace "$STORY_NAMESPACE" >/dev/null
    kubectl apply -f "$WM_ROOT/tests/demo/objects/setup.yaml" >/dev/null
}

# What the user does, and mig-controller's word that the plan is ready.
story_plan() {
    story_setup
    PLAN=$(story_create plan)
    PLAN_UID=$(story_uid migplan "$PLAN")
    kubectl patch migplan "$PLAN" -n "$STORY_NAMESPACE" --type merge -p '{"status": {"conditions": [{"type": "Ready",
        "status": "True", "category": "Required", "message": "The migration plan is ready.",
        "lastTransitionTime": "2026-11-21T07:05:00Z"}]}}' >/dev/null
}
story_migration() {
    MIGRATION=$(story_create migration)
    MIGRATION_UID=$(story_uid migmigration "$MIGRATION")
}

# What mig-controller and Velero do with it: one pair of Backup and Restore in the form of today, one in the old form.
story_backups() {
    local uids=(MIGRATION_UID="$MIGRATION_UID" PLAN_UID="$PLAN_UID")
    INITIAL_BACKUP=$(story_create backup-initial "${uids[@]}")
    STAGE_BACKUP=$(story_create backup-stage "${uids[@]}")
    STAGE_BACKUP_UID=$(story_uid backup "$STAGE_BACKUP")
    PVBS=("$(story_create podvolumebackup BACKUP="$STAGE_BACKUP" BACKUP_UID="$STAGE_BACKUP_UID" VOLUME=nginx-html)"
        "$(story_create podvolumebackup BACKUP="$STAGE_BACKUP" BACKUP_UID="$STAGE_BACKUP_UID" VOLUME=nginx-logs)")
}
story_restores() {
    local uids=(MIGRATION_UID="$MIGRATION_UID" PLAN_UID="$PLAN_UID")
    STAGE_RESTORE=$(story_create restore-stage "${uids[@]}" BACKUP="$STAGE_BACKUP")
    STAGE_RESTORE_UID=$(story_uid restore "$STAGE_RESTORE")
    FINAL_RESTORE=$(story_create restore-final "${uids[@]}" BACKUP="$INITIAL_BACKUP")
    FINAL_RESTORE_UID=$(story_uid restore "$FINAL_RESTORE")
    PVRS=("$(story_create podvolumerestore RESTORE="$STAGE_RESTORE" RESTORE_UID="$STAGE_RESTORE_UID" VOLUME=nginx-html)"
        "$(story_create podvolumerestore RESTORE="$FINAL_RESTORE" RESTORE_UID="$FINAL_RESTORE_UID" VOLUME=nginx-logs)")
}
story_direct() {
    local claim name
    DVM=$(story_create directvolumemigration MIGRATION_UID="$MIGRATION_UID")
    DVM_UID=$(story_uid directvolumemigration "$DVM")
    DVMPS=()
    for claim in nginx-html nginx-logs; do
        name=$(printf '%s%s%s' "$DVM" "$claim" nginx-example | md5sum)
        DVMPS+=("$(story_create directvolumemigrationprogress DVM="$DVM" DVM_UID="$DVM_UID" NAME="${name%% *}")")
    done
    DIM=$(story_create directimagemigration MIGRATION_UID="$MIGRATION_UID")
    DIM_UID=$(story_uid directimagemigration "$DIM")
    DISM=$(story_create directimagestreammigration DIM="$DIM" DIM_UID="$DIM_UID")
}
# The end: mig-controller's last word.
story_end() {
    local at
    at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    kubectl patch migmigration "$MIGRATION" -n "$STORY_NAMESPACE" --type merge -p '{"status": {"phase": "Completed",
        "itinerary": "Final", "conditions": [{"type": "Succeeded", "status": "True", "category": "Advisory",
        "durable": true, "reason": "Completed", "message": "The migration has completed successfully.",
        "lastTransitionTime": "'"$at"'"}]}}' >/dev/null
}
story_unrelated() { UNRELATED_BACKUP=$(story_create backup-unrelated); }

# story_all: everything at once
story_all() {
    story_plan
    story_migration
    story_backups
    story_restores
    story_direct
    story_unrelated
}

#!/usr/bin/env bash
# The story of one migration on a real API server: what it is made of, and what finds it.
# Usage: ./dev demo [--keep] [--without-webhook]
#
#   --keep              leave everything running at the end and say how to reach it
#   --without-webhook   the same story as it is without Waymark, to compare
#
# Builds what is missing first. Everything it starts it ends, also on Ctrl-C.
set -euo pipefail
# shellcheck source=tests/dev/webhook.sh
source "$(dirname "${BASH_SOURCE[0]}")/webhook.sh"
# shellcheck source=tests/demo/story.sh
source "$WM_ROOT/tests/demo/story.sh"

keep='' with_webhook=1
while (($#)); do
    case $1 in
        --keep) keep=1 ;;
        --without-webhook) with_webhook='' ;;
        -h | --help)
            usage "$0"
            exit
            ;;
        *) die "demo knows no option $1; see ./dev demo --help" ;;
    esac
    shift
done
need cluster
[[ -z $with_webhook ]] || bash "$WM_ROOT/tests/dev/build.sh" --preset release --target waymark-webhook

cluster() { bash "$WM_ROOT/tests/cluster/cluster.sh" "$@"; }
name=demo-$$ dir='' finished=''
# shellcheck disable=SC2317 # called at exit
tear_down() {
    if [[ -n $keep && -n $finished ]]; then
        say ''
        say "Everything stays. To look around: export KUBECONFIG=$KUBECONFIG"
        [[ -z $with_webhook ]] || say "The webhook's log:                $dir/extra/webhook.log"
        say "To end it:                        ./dev cluster down $name"
        return
    fi
    [[ -z $dir ]] || end_all_processes "$dir/extra"
    cluster down "$name" 2>/dev/null || true
}
at_exit tear_down

# ask WORD...: shows a kubectl command as the user would type it, then what it says; results go to stdout
ask() {
    printf '\n$ kubectl %s\n' "$*"
    kubectl "$@"
}

headline '1. A Kubernetes control plane'
exports=$(cluster up "$name")
eval "$exports"
dir=$(dirname "$KUBECONFIG")
mkdir "$dir/extra" # its processes end with the cluster's folder
apply_crds "$WM_ROOT/tests/crds"
say 'It knows the kinds of MTC and Velero.'

if [[ -n $with_webhook ]]; then
    headline '2. The webhook'
    webhook_up "$dir/extra" "$name" --drain-s 1
    say "Installed from manifests/, with the rights of its ServiceAccount; it listens on $WEBHOOK_ADDRESS:$WEBHOOK_PORT behind its Service."
else
    headline '2. No webhook, to compare'
fi

headline '3. A plan, a migration, and what mig-controller and Velero make of it'
story_plan
say "MigPlan $PLAN"
story_migration
say "MigMigration $MIGRATION"
story_backups
say "Backups $INITIAL_BACKUP and $STAGE_BACKUP, the second as older versions made it, with ${#PVBS[@]} PodVolumeBackups"
story_restores
say "Restores $STAGE_RESTORE and $FINAL_RESTORE, with ${#PVRS[@]} PodVolumeRestores"
story_direct
say "DirectVolumeMigration $DVM with ${#DVMPS[@]} progress objects, DirectImageMigration $DIM with one image stream"
story_unrelated
say "Backup $UNRELATED_BACKUP, which has nothing to do with it"

headline '4. What finds it'
migration=migration.openshift.io
# The queries of the README, word for word.
ask get migmigrations,backups,restores,podvolumebackups,podvolumerestores,directvolumemigrations \
    -n "$STORY_NAMESPACE" -l $migration/migplan-name=nginx-plan
ask get migmigrations -n "$STORY_NAMESPACE" -l migrations.openshift.io/migPlanName=nginx-plan
ask get podvolumebackups,podvolumerestores -A -l $migration/migplan-name=nginx-plan -o name
ask get podvolumerestores,directvolumemigrationprogresses -A -l "$migration/migmigration-name=$MIGRATION"
ask get podvolumerestores -A -l "$migration/migmigration-uid=$MIGRATION_UID" -o name
found=$(kubectl get "$STORY_KINDS" -A -l $migration/migplan-name=nginx-plan -o name | wc -l)
all=$(kubectl get "$STORY_KINDS" -A -o name | wc -l)
printf '\n%s of the %s objects of this migration are found by its plan; %s, which is none of them, is not.\n' \
    "$found" "$((all - 1))" "$UNRELATED_BACKUP"

headline '5. What would fail later'
# Refused at once with the webhook; without it, mig-controller would say so on the stored plan, in its own time.
if refused=$(cd "$WM_ROOT/tests/demo/objects" && ask create -f plan-with-faults.yaml 2>&1); then
    [[ -z $with_webhook ]] || die 'the plan with faults was stored'
    say "$refused"
else
    printf '%s\n' "$refused"
fi
if [[ -n $with_webhook ]]; then
    printf '\n$ curl %s/readyz\n' "http://127.0.0.1:$WEBHOOK_HEALTH_PORT"
    webhook_get readyz
    ((found == all - 1)) || die "the webhook left $((all - 1 - found)) objects without the plan's label"
fi
finished=1

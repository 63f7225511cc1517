#!/usr/bin/env bash
# The story of one migration on a real API server: what finds its objects, and what is refused.
# Usage: ./dev demo [--keep] [--without-webhook]
#
#   --keep              leave the cluster running at the end and say how to reach it
#   --without-webhook   the same story as it is without Waymark, to compare
#
# Everything it starts it ends, also on Ctrl-C.
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
        say "The cluster stays. To look around: export KUBECONFIG=$KUBECONFIG"
        say "To end it:                       ./dev cluster down $name"
        return
    fi
    [[ -z $dir ]] || end_all_processes "$dir/extra"
    cluster down "$name" 2>/dev/null || true
}
at_exit tear_down

# shown TEXT COMMAND...: prints TEXT as the user would type it, then what COMMAND says
shown() {
    printf '\n%s$ %s%s\n' "$wm_bold" "$1" "$wm_plain" >&2
    shift
    "$@" || true
}

headline '1. A Kubernetes control plane'
exports=$(cluster up "$name")
eval "$exports"
dir=$(dirname "$KUBECONFIG")
mkdir "$dir/extra" # its processes end with the cluster's folder
apply_crds "$WM_ROOT/tests/crds"
say 'It knows the kinds of MTC, Velero and VirtRigaud.'

if [[ -n $with_webhook ]]; then
    headline '2. The webhook'
    webhook_up "$dir/extra" "$name"
    say "It listens on $WEBHOOK_ADDRESS:$WEBHOOK_PORT behind a Service, as in production."
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

headline '4. Everything of the plan, by one label'
columns='KIND:.kind,NAME:.metadata.name'
columns+=',PLAN:.metadata.labels.migration\.openshift\.io/migplan-name'
columns+=',MIGRATION:.metadata.labels.migration\.openshift\.io/migmigration-name'
label=migration.openshift.io/migplan-name=nginx-plan
shown "kubectl get migmigrations,backups,restores,podvolumebackups,... -A -l $label" \
    kubectl get "$STORY_KINDS" -A -l "$label" -o custom-columns="$columns"
mapfile -t found < <(kubectl get "$STORY_KINDS" -A -l "$label" -o name)
mapfile -t theirs < <(kubectl get "$STORY_KINDS" -A -o name | grep -v "/$UNRELATED_BACKUP\$")
say ''
say "Found ${#found[@]} of the ${#theirs[@]} objects that belong to it."
if [[ -n $with_webhook ]]; then
    [[ ${found[*]} == "${theirs[*]}" ]] || die 'These should have been all of them, and nothing else.'
    say "$UNRELATED_BACKUP is rightly not among them."
fi

if kubectl get validatingwebhookconfiguration waymark-rules >/dev/null 2>&1; then
    headline '5. What cannot work is refused where it is typed'
    for file in tests/demo/objects/refused-{migration,plan}.yaml; do
        shown "kubectl create -f $file" kubectl create -f "$WM_ROOT/$file"
    done
fi
finished=1

#!/usr/bin/env bash
# The story of one migration on a real API server: what it is made of, and what finds it. Then another one is carried
# out, on three control planes, and watched.
# Usage: ./dev demo [--keep] [--without-webhook | --without-aggregator]
#
#   --keep                 leave everything running at the end and say how to reach it
#   --without-webhook      the first part as it is without Waymark, to compare
#   --without-aggregator   only the first part
#
# Builds what is missing first. Everything it starts it ends, also on Ctrl-C.
set -euo pipefail
# shellcheck source=tests/dev/webhook.sh
source "$(dirname "${BASH_SOURCE[0]}")/webhook.sh"
# shellcheck source=tests/dev/aggregator.sh
source "$WM_ROOT/tests/dev/aggregator.sh"
# shellcheck source=tests/demo/play.sh
source "$WM_ROOT/tests/demo/play.sh"

keep='' with_webhook=1 with_aggregator=1
while (($#)); do
    case $1 in
        --keep) keep=1 ;;
        --without-webhook) with_webhook='' with_aggregator='' ;;
        --without-aggregator) with_aggregator='' ;;
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
[[ -z $with_aggregator ]] || bash "$WM_ROOT/tests/dev/build.sh" --preset release --target waymark-aggregator

cluster() { bash "$WM_ROOT/tests/cluster/cluster.sh" "$@"; }
name=demo-$$ names=() dir='' remotes='' finished='' watcher=''
# shellcheck disable=SC2317 # called at exit
tear_down() {
    local one
    [[ -z $watcher ]] || kill "$watcher" 2>/dev/null || true
    if [[ -n $keep && -n $finished ]]; then
        say ''
        say "Everything stays. To look around: export KUBECONFIG=$KUBECONFIG"
        [[ -z $with_aggregator ]] || say "The other clusters:               ./dev cluster status"
        [[ -z $with_webhook ]] || say "The webhook's log:                $dir/extra/webhook.log"
        [[ -z $with_aggregator ]] || say "The aggregator's log:             $dir/extra/aggregator.log"
        say "To end it:                        ./dev cluster down ${names[*]}"
        return
    fi
    wait # a control plane that is still starting cannot be ended
    [[ -z $dir ]] || end_all_processes "$dir/extra"
    for one in "${names[@]}"; do
        cluster down "$one" 2>/dev/null &
    done
    wait
}
at_exit tear_down

# look COMMAND: shows a command as the user would type it, then what it says
look() {
    printf '\n$ %s\n' "$1"
    eval "$1"
}
# ask WORD...: shows a kubectl command as the user would type it, then what it says; results go to stdout
ask() {
    printf '\n$ kubectl %s\n' "$*"
    kubectl "$@"
}

names=("$name") starting=()
if [[ -n $with_aggregator ]]; then
    headline '1. Three Kubernetes control planes: the host of the migrations, a source and a target'
    for role in source target; do
        names+=("$name-$role")
        cluster up "$name-$role" >/dev/null &
        starting+=("$!")
    done
else
    headline '1. A Kubernetes control plane'
fi
exports=$(cluster up "$name")
for pid in "${starting[@]}"; do
    wait "$pid" || die 'a control plane did not start'
done
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
[[ -n $with_aggregator ]] || {
    finished=1
    exit
}

headline '6. The aggregator'
play_on host "$name"
for role in source target; do
    play_on "$role" "$name-$role"
    at "$role" apply_crds "$WM_ROOT/tests/crds/velero.yaml"
    remotes=${remotes:+$remotes,}$role=${play_dir[$role]}/kubeconfig
done
play_begin
start_aggregator "$dir/extra" aggregator --namespace waymark --remotes "$remotes"
# shellcheck disable=SC2317 # called by eventually
sees_all() { [[ $(aggregator_get readyz | grep -c '^\[+\]cluster .*: good') == 3 ]]; }
eventually 20 sees_all >/dev/null || {
    tail -n 20 "$dir/extra/aggregator.log" >&2
    die 'the aggregator does not see the three clusters'
}
say 'It watches the three clusters.'
story_end
say "MigMigration $MIGRATION has ended."

headline '7. A stage migration from source to target, while it runs'
began=$(now_ms)
printf '\n$ kubectl get migrationreports -n %s -l %s -w\n' "$STORY_NAMESPACE" "$migration/migplan-name=$PLAY_PLAN"
# A row comes with every byte that is copied; those that differ by nothing but their age are left out here.
command kubectl --cache-dir "$dir/kubectl-cache" get migrationreports -n "$STORY_NAMESPACE" \
    -l "$migration/migplan-name=$PLAY_PLAN" -w > >(awk '
        { row = $0; gsub(/ +/, " ", row); sub(/( [0-9]+[dhms]+)+$/, "", row) }
        row != last { print; fflush() }
        { last = row }') &
watcher=$!
play_all
# shellcheck disable=SC2317 # called by eventually
is_told() {
    kubectl get migmigration "$PLAY_MIGRATION" -n "$STORY_NAMESPACE" -o json |
        jq -e 'any(.status.conditions[]; .type == "MigrationOutcome")'
}
eventually 20 is_told >/dev/null || die 'the aggregator did not tell how the migration ended'
sleep 1 # for the last line
kill "$watcher"
wait "$watcher" 2>/dev/null || true
watcher=''
printf '\nIt took %s s here; mig-controller and Velero were played by a script.\n' "$(seconds_since "$began")"

headline '8. What it has left'
ask get migrationreports -n "$STORY_NAMESPACE"
look "kubectl describe migmigration $PLAY_MIGRATION -n $STORY_NAMESPACE | sed -n '/^  Conditions:/,/^  [IP]/p'"
look "kubectl get migrationreport $PLAY_MIGRATION -n $STORY_NAMESPACE \\
    -o jsonpath='{range .status.timeline[*]}{.from}{\"  \"}{.seconds}{\" s  \"}{.phase}{\"\\n\"}{end}'"
look "kubectl get migrationreport $PLAY_MIGRATION -n $STORY_NAMESPACE -o json | jq -r \\
    '.status.tree[] | \"  \" * (.depth - 1) + \"\\(.kind) \\(.name) on \\(.cluster): \\(.state)\"
        + if .total then \", \\(.done) of \\(.total) \\(.unit)\" else \"\" end'"
ask get events -n "$STORY_NAMESPACE" --field-selector "involvedObject.name=$PLAY_MIGRATION"
finished=1

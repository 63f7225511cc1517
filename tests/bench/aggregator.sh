#!/usr/bin/env bash
# The aggregator on a real API server with thousands of objects, beside raw curl, which fetches the same lists, and
# beside a controller's informers (client-go of the same Kubernetes, see tests/bench/informer), in one run.
# Usage: ./dev bench aggregator [--objects N,N] [--migrations N] [--rate N] [--seconds N] [--outages N]
#                               [--without-informer] [--output FILE]
#
#   --objects            numbers of PodVolumeRestores, in ascending order (5000,20000)
#   --migrations         that have ended (1000); ten more run, and own the PodVolumeRestores
#   --rate               of patches a second while watching (100)
#   --seconds            of load, and of idleness (20)
#   --outages            how often the API server is killed at the end (10)
#   --without-informer   do not build and measure client-go (a build of three minutes, once)
#   --output             where the numbers go as JSON (build/bench/aggregator.json)
#
# CPU is what the kernel counted for all threads. What is waited for is told in milliseconds and depends on the machine;
# what counts is the ratios to what curl and client-go need beside it. "following" writes nothing: that is what an
# informer does, and more, since every migration is judged; "writing" is the program as it is deployed.
set -euo pipefail
# shellcheck source=tests/dev/kube.sh
source "$(dirname "${BASH_SOURCE[0]}")/../dev/kube.sh"
# shellcheck source=tests/dev/process.sh
source "$WM_ROOT/tests/dev/process.sh"
# shellcheck source=tests/cluster/find.sh
source "$WM_ROOT/tests/cluster/find.sh"

objects=5000,20000 migrations=1000 rate=100 seconds=20 outages=10 informer=1 output=$WM_BUILD/bench/aggregator.json
while (($#)); do
    case $1 in
        --objects | --migrations | --rate | --seconds | --outages | --output)
            declare "${1#--}=$(option_value "$@")"
            shift
            ;;
        --without-informer) informer='' ;;
        -h | --help)
            usage "$0"
            exit
            ;;
        *) die "bench aggregator knows no option $1; see ./dev bench aggregator --help" ;;
    esac
    shift
done
need build,cluster,bench
bash "$WM_ROOT/tests/dev/build.sh" --preset release
[[ -z $informer ]] || bash "$WM_ROOT/tests/cluster/cluster.sh" assets --with informer >/dev/null
release=$WM_BUILD/release
aggregator=$release/aggregator/waymark-aggregator load=$release/tests/kube_load visible=$release/tests/bench/bench_visible

NS=openshift-migration RUNNING=10 RESTORES_EACH=2
MTC=/apis/migration.openshift.io/v1alpha1/namespaces/$NS VELERO=/apis/velero.io/v1/namespaces/$NS
REPORTS=/apis/waymark.io/v1alpha1/namespaces/$NS/migrationreports
KINDS=()
for resource in migplans migmigrations migclusters migstorages mighooks directvolumemigrations \
    directvolumemigrationprogresses directimagemigrations directimagestreammigrations; do
    KINDS+=("migration.openshift.io/v1alpha1/$resource")
done
for resource in backups restores podvolumebackups podvolumerestores backupstoragelocations; do
    KINDS+=("velero.io/v1/$resource")
done
KINDS+=(apps/v1/deployments apps/v1/daemonsets v1/pods)

dir=$(mktemp -d /dev/shm/waymark-bench-XXXXXX)
# shellcheck disable=SC2317 # called at exit
tidy() {
    end_all_processes "$dir"
    rm -rf "$dir"
}
at_exit tidy
cluster=bench-$$
exports=$(bash "$WM_ROOT/tests/cluster/cluster.sh" up "$cluster" --no-controller-manager)
at_exit "bash '$WM_ROOT/tests/cluster/cluster.sh' down $cluster"
eval "$exports"
cluster_dir=$WM_STATE/clusters/$cluster
server=$(kubectl config view --minify -o jsonpath='{.clusters[0].cluster.server}')

# --- the objects ---

# Every object has its labels, as the webhook gives them: repairing them is another job, at its own slow pace.
labels() { # MIGRATION UID
    jq -cn --arg name "$1" --arg uid "$2" '{"migration.openshift.io/migplan-name": "nginx-plan",
        "migration.openshift.io/migmigration-name": $name, "migration.openshift.io/migmigration-uid": $uid}'
}
# conditions as mig-controller writes them, and 1 KB of what it remembers besides
migration() { # NAME PHASE PLAN
    jq -cn --arg name "$1" --arg phase "$2" --arg plan "$3" --arg ns "$NS" '
        {type: "Ready", status: "True", category: "Required", message: "The migration is ready.",
         lastTransitionTime: "2026-11-21T07:00:00Z"} as $ready
        | {apiVersion: "migration.openshift.io/v1alpha1", kind: "MigMigration",
           metadata: {name: $name, namespace: $ns, annotations: {"openshift.io/touch": "a"},
             labels: {"migration.openshift.io/migplan-name": $plan, "migrations.openshift.io/migPlanName": $plan,
               "migration.openshift.io/migmigration-name": $name}},
           spec: {migPlanRef: {name: $plan, namespace: $ns}, stage: false, quiescePods: true},
           status: {phase: $phase, itinerary: "Final", startTimestamp: "2026-11-21T07:00:00Z",
             observedDigest: ("0123456789abcdef" * 4),
             conditions: [$ready, if $phase == "Completed"
               then $ready + {type: "Succeeded", category: "Advisory", durable: true, message: "The migration has completed successfully."}
               else $ready + {type: "Running", category: "Advisory", reason: $phase, message: "Step: 23/47"} end],
             pipeline: [("Prepare", "Backup", "StageBackup", "StageRestore", "DirectImage", "Restore", "Cleanup") |
               {name: ., started: "2026-11-21T07:00:00Z", message: "Completed", progress: ["Backup openshift-migration/x: 30 out of 30 objects backed up"]}]}}'
}
restore() { # NAME MIGRATION UID_OF_MIGRATION
    jq -cn --arg name "$1" --arg uid "$3" --arg ns "$NS" --argjson labels "$(labels "$2" "$3")" '
        {apiVersion: "velero.io/v1", kind: "Restore", metadata: {name: $name, namespace: $ns,
           labels: ({migmigration: $uid, "migration-stage-restore": $uid} + $labels)},
         spec: {backupName: "b", restorePVs: true}, status: {phase: "InProgress"}}'
}
volume() { # NAME RESTORE UID_OF_RESTORE MIGRATION UID_OF_MIGRATION
    jq -cn --arg name "$1" --arg restore "$2" --arg uid "$3" --arg ns "$NS" --argjson labels "$(labels "$4" "$5")" '
        {apiVersion: "velero.io/v1", kind: "PodVolumeRestore", metadata: {name: $name, namespace: $ns,
           labels: ({"velero.io/restore-name": $restore, "velero.io/restore-uid": $uid,
             "velero.io/pod-uid": "5b0c8f38-0f0a-4b5d-9d0e-7b7a2f1c6e21", "velero.io/pvc-uid": "91d4c1f7-6a5e-4d8b-8f7c-0e9b5a3c2d31"} + $labels),
           ownerReferences: [{apiVersion: "velero.io/v1", kind: "Restore", name: $restore, uid: $uid, controller: true}]},
         spec: {backupStorageLocation: "automatic-xg6ph", repoIdentifier: "s3:s3.example.com/bucket/velero/restic/nginx-example",
           pod: {kind: "Pod", namespace: "nginx-example", name: "stage-nginx-deployment-6c79-gflm6", uid: "5b0c8f38-0f0a-4b5d-9d0e-7b7a2f1c6e21"},
           snapshotID: "7f3c9a1b", sourceNamespace: "nginx-example", uploaderType: "restic", volume: "nginx-html"},
         status: {phase: "InProgress", startTimestamp: "2026-11-21T07:10:00Z", node: "worker-3.example.com",
           progress: {bytesDone: 1000, totalBytes: 10000000}}}'
}

# put_many PATH RATE SECONDS: creates RATE * SECONDS of the object on stdin, each @ in it replaced by the count
put_many() {
    cat >"$dir/object.json"
    "$load" create "$1" "$dir/object.json" "$2" "$3" >"$dir/load.json" || die "creating below $1: $(<"$dir/load.json")"
}

setup_cluster() {
    local i r
    apply_crds "$WM_ROOT/tests/crds" "$WM_ROOT/manifests/base/migrationreport-crd.yaml"
    kubectl create namespace "$NS" >/dev/null
    kubectl create -f - >/dev/null <<END
apiVersion: migration.openshift.io/v1alpha1
kind: MigCluster
metadata: {name: host, namespace: $NS}
spec: {isHostCluster: true}
END
    kubectl create -f "$WM_ROOT/tests/demo/objects/plan.yaml" >/dev/null
    kubectl patch migplan nginx-plan -n "$NS" --type merge -p '{"spec": {"srcMigClusterRef": {"name": "host"}}}' >/dev/null
    migration ended-@ Completed nginx-plan | put_many "$MTC/migmigrations" 250 $(((migrations + 249) / 250))
    migration running-@ StageRestoreCreated nginx-plan | put_many "$MTC/migmigrations" "$RUNNING" 1
    for ((i = 0; i < RUNNING; i++)); do
        for ((r = 0; r < RESTORES_EACH; r++)); do
            restore "restore-$i-$r" "running-$i" "$(uid_of migmigration "running-$i" "$NS")" | kubectl create -f - >/dev/null
        done
    done
    # One that is small, to see how long it takes until what happened is reported.
    migration seen StageRestoreCreated nginx-plan | kubectl create -f - >/dev/null
    restore seen seen "$(uid_of migmigration seen "$NS")" | kubectl create -f - >/dev/null
    volume seen seen "$(uid_of restore seen "$NS")" seen "$(uid_of migmigration seen "$NS")" | kubectl create -f - >/dev/null
}

# grow_to N: PodVolumeRestores, spread evenly over the Restores of running migrations
volumes=0
grow_to() {
    local i r each=$((($1 - volumes) / (RUNNING * RESTORES_EACH)))
    for ((i = 0; i < RUNNING; i++)); do
        for ((r = 0; r < RESTORES_EACH; r++)); do
            volume "v-$1-$i-$r-@" "restore-$i-$r" "$(uid_of restore "restore-$i-$r" "$NS")" "running-$i" \
                "$(uid_of migmigration "running-$i" "$NS")" |
                put_many "$VELERO/podvolumerestores" "$each" 1
        done
    done
    volumes=$1
}

# --- looking at a process ---

# shellcheck disable=SC2317 # called with names from variables
cpu_ns() { cat "/proc/$1/task"/*/schedstat | awk '{ n += $1 } END { printf "%.0f\n", n }'; }
rss_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }

port=$(free_port)
is_ready() { curl -sSf --noproxy '*' -o /dev/null "http://127.0.0.1:$port/readyz" 2>/dev/null; }
metric() {
    curl -sSf --noproxy '*' "http://127.0.0.1:$port/metrics" |
        awk -v name="$1" '$1 ~ "^" name "([{]|$)" { n += $2 } END { printf "%.0f\n", n }'
}

declare -A command=(
    [following]="$aggregator run --health-listen 127.0.0.1:$port --leader-election=false --log-level warn
        --conditions=false --verdicts=false --reports=false --events=false"
    [writing]="$aggregator run --health-listen 127.0.0.1:$port --leader-election=false --log-level warn"
    [typed]="$(find_program waymark-informer) typed $NS ${KINDS[*]}"
    [reporter]="$(find_program waymark-informer) reporter $NS ${KINDS[*]}"
    [dynamic]="$(find_program waymark-informer) dynamic $NS ${KINDS[*]}"
)

# is_synced WHO
is_synced() {
    case $1 in
        following | writing) is_ready ;;
        *) grep -qs '^synced' "$dir/$1.log" ;;
    esac
}

results=$dir/results.jsonl
# put WHO WHAT VALUE: a number of the present size
put() {
    jq -cn --arg who "$1" --arg what "$2" --argjson value "$3" --argjson n "$volumes" \
        '{objects: $n, who: $who, what: $what, value: $value}' >>"$results"
}

# start WHO: until it has read all lists
start() {
    local began pid words
    read -r -d '' -a words <<<"${command[$1]}" || true
    rm -f "$dir/$1.log"
    began=$(now_ms)
    spawn "$dir" "$1" "${words[@]}"
    for ((; $(now_ms) - began < 120000; )); do
        ! is_synced "$1" || break
        sleep 0.05 # each look costs the one that is looked at a connection
    done
    pid=$(pid_of "$dir" "$1") || die "$1 ended: $(tail -n 5 "$dir/$1.log")"
    put "$1" sync_ms $(($(now_ms) - began))
    put "$1" sync_cpu_ms $(($(cpu_ns "$pid") / 1000000))
}

# idle WHO: per mille of a core, and memory when all is done
idle() {
    local pid before
    pid=$(pid_of "$dir" "$1")
    sleep 30 # so long allocators and garbage collectors may take
    put "$1" rss_kb "$(rss_kb "$pid")"
    before=$(cpu_ns "$pid")
    sleep "$seconds"
    put "$1" idle_permille "$(jq -n --argjson ns $(($(cpu_ns "$pid") - before)) --argjson s "$seconds" '$ns / $s / 1e6')"
}

# patches WHO: CPU for each watch event, while volumes of all running migrations progress
patches() {
    local pid before i each=$((rate / RUNNING))
    local -a loads=()
    pid=$(pid_of "$dir" "$1")
    printf '{"status": {"progress": {"bytesDone": %d@}}}' "$((RANDOM % 900 + 100))" >"$dir/patch.json"
    before=$(cpu_ns "$pid")
    for ((i = 0; i < RUNNING; i++)); do
        "$load" patch "$VELERO/podvolumerestores/v-${sizes[0]}-$i-0-@" "$dir/patch.json" "$each" "$seconds" >"$dir/load-$i.json" &
        loads+=($!)
    done
    wait "${loads[@]}" || die "patching: $(cat "$dir"/load-*.json)"
    sleep 1
    put "$1" event_cpu_us "$(jq -n --argjson ns $(($(cpu_ns "$pid") - before)) --argjson n $((each * RUNNING * seconds)) '$ns / $n / 1000')"
}

# lists FILE: the same lists by curl, all at once
lists() {
    local path
    local -a urls=()
    for path in "${KINDS[@]}"; do
        [[ $path == v1/* ]] && path=api/$path || path=apis/$path
        urls+=("$server/${path%/*}/namespaces/$NS/${path##*/}?resourceVersion=0")
    done
    curl -sSfk --no-progress-meter --noproxy '*' --parallel --parallel-max 50 -H "@$cluster_dir/pki/admin.header" \
        "${urls[@]}" >"$1"
}
fetch() {
    local began
    began=$(now_ms)
    lists "$dir/lists"
    put curl sync_ms $(($(now_ms) - began))
    put curl bytes "$(stat -c %s "$dir/lists")"
    rm "$dir/lists"
}

# writes_end: the aggregator has written what there was to say; prints how often
writes_end() {
    local n last=-1
    while n=$(metric waymark_writes_total) && ((n != last)); do
        last=$n
        sleep 4
    done
    printf '%s\n' "$n"
}

marker=700000000
# see TIMES: the milliseconds from a change of a volume to the report of its migration
see() {
    printf '{"status": {"progress": {"bytesDone": @, "totalBytes": 2000000000}}}' >"$dir/see.json"
    "$visible" "$VELERO/podvolumerestores/seen" "$dir/see.json" "$REPORTS" "$marker" "$1" 2>"$dir/see.log" ||
        die "a change was not reported: $(tail -n 1 "$dir/see.log")"
    marker=$((marker + $1))
}

# first_writes: every migration gets its words and its report, and a change of one that runs must not wait for that
first_writes() {
    local began
    began=$(now_ms)
    start writing
    put writing busy_latency_ms "$(see 5 | sort -n | tail -n 1)"
    marker=$((marker + 5))
    put writing first_writes "$(writes_end)"
    put writing first_writes_ms $(($(now_ms) - began))
    end_processes "$dir" writing
}

# outage: the API server is killed; from its return to the first report that is right. Lists of an API server that has
# just begun take long, so curl fetches them at the same time. In time is 2 s after curl.
in_time=0
outage() {
    local began curl ours theirs
    kill -s KILL "$(pid_of "$cluster_dir" apiserver)"
    sleep 3
    bash "$WM_ROOT/tests/cluster/cluster.sh" start "$cluster" apiserver
    began=$(now_ms)
    (
        until lists /dev/null 2>/dev/null; do sleep 0.1; done
        now_ms >"$dir/listed"
    ) &
    curl=$!
    see 1 >/dev/null
    marker=$((marker + 1))
    ours=$(($(now_ms) - began))
    wait "$curl"
    theirs=$(($(<"$dir/listed") - began))
    put writing after_outage_ms "$ours"
    put curl after_outage_ms "$theirs"
    in_time=$((in_time + (ours <= theirs + 2000)))
}

# latency WHO: from a change of a volume to the report that says so
latency() {
    see 200 | sort -n >"$dir/latencies"
    marker=$((marker + 200))
    put "$1" latency_p50_ms "$(sed -n 100p "$dir/latencies")"
    put "$1" latency_p99_ms "$(sed -n 198p "$dir/latencies")"
}

# measure WHO: all that is asked of each
measure() {
    headline "$volumes volumes: $1"
    fetch
    start "$1"
    if [[ $1 == writing ]]; then
        writes_end >/dev/null
    fi
    idle "$1"
    patches "$1"
    if [[ $1 == writing ]]; then
        writes_end >/dev/null
        latency writing
        put writing turn_us "$(metric waymark_turn_microseconds)"
        put writing judged "$(metric waymark_judgements_total)"
    fi
}

# report_latency: of a client-go program that does the same and nothing else
report_latency() {
    headline "$volumes volumes: reporter"
    start reporter
    latency reporter
    end_processes "$dir" reporter
}

headline 'objects'
IFS=, read -ra sizes <<<"$objects"
((sizes[0] >= rate * seconds * RESTORES_EACH)) || die 'too few objects for so many patches'
setup_cluster
for n in "${sizes[@]}"; do
    grow_to "$n"
    [[ $n != "${sizes[0]}" ]] || first_writes
    for who in following writing ${informer:+typed dynamic}; do
        measure "$who"
        end_processes "$dir" "$who"
        [[ $who != writing || -z $informer ]] || report_latency
    done
done
start writing
for ((i = 0; i < outages; i++)); do # the last: of an API server that has just begun again others would measure the caches
    outage
done
((outages == 0)) || put writing "outages_in_time_of_$outages" "$in_time"
end_processes "$dir" writing

mkdir -p "${output%/*}"
# the median, where something was measured more than once; bytes an object from the smallest and the largest size
jq -s '
    def median: sort | .[length / 2 | floor];
    (group_by([.objects, .who, .what]) | map({objects: .[0].objects, who: .[0].who, what: .[0].what, value: (map(.value) | median)})) as $all
    | ($all | map(.objects) | [min, max]) as [$least, $most]
    | $all + [$all[] | select(.what == "rss_kb" and .objects == $most and $most > $least) as $big
        | $all[] | select(.what == "rss_kb" and .objects == $least and .who == $big.who)
        | {objects: $most, who, what: "bytes_per_further_object", value: (($big.value - .value) * 1024 / ($most - $least) | round)}]
    | unique' "$results" >"$output"
jq -r '
    def r: . * 100 | round / 100;
    group_by([.objects, .what])[] | (map({(.who): .value}) | add) as $v
    | ($v.following // $v.writing) as $ours | ($v.curl // $v.typed // $v.reporter) as $theirs
    | [.[0].objects, .[0].what, ($v.following, $v.writing, $v.curl, $v.typed, $v.dynamic, $v.reporter | if . then r else "-" end),
       (if $ours and $theirs and $theirs > 0 then ($ours / $theirs | r) else "-" end)]
    | @tsv' "$output" |
    { printf 'volumes\twhat\tfollowing\twriting\tcurl\tclient-go typed\tdynamic\treporter\tratio\n'; cat; } | column -t -s $'\t'
say "the numbers: $output"

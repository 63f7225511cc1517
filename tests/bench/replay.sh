#!/usr/bin/env bash
# How many watch events a second the aggregator takes on one core: what a kube-apiserver once sent is sent again by a
# server that does nothing else, beside raw curl, which reads the same bytes over the same TLS.
# Usage: ./dev bench replay [--objects N] [--events N] [--migrations N] [--rounds N] [--only WHO,...] [--as-built]
#                           [--output FILE]
#
#   --objects      PodVolumeRestores, evenly over the Restores of the migrations (2000)
#   --events       changes of them, one after the other, in a round (500000)
#   --migrations   that run (10), of two Restores each
#   --rounds       the median counts (3)
#   --only         some of curl, library, model, following, typed (all; typed only where it was built before)
#   --as-built     measure what is there: nothing is installed or compiled first
#   --output       where the numbers go as JSON (build/bench/replay.json)
#
# "library" lists and watches and does nothing else; "model" keeps of each object what the aggregator keeps; "following"
# is the program, which judges every migration besides, and writes nothing; "typed" is client-go's informer with types
# that know no more than the aggregator keeps (tests/bench/informer; ./dev bench aggregator builds it). CPU is what the
# kernel counted for all threads, on a core that they share; the server has another one. The objects are recorded (tests/bench/replay):
# kube-apiserver 1.20 sent them, with managedFields, about 2 KB each. Every client has to say that all events have come,
# or the run fails.
set -euo pipefail
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../dev/lib.sh"
# shellcheck source=tests/dev/process.sh
source "$WM_ROOT/tests/dev/process.sh"
# shellcheck source=tests/cluster/find.sh
source "$WM_ROOT/tests/cluster/find.sh"

built='' objects=2000 events=500000 migrations=10 rounds=3
only='' output=$WM_BUILD/bench/replay.json
while (($#)); do
    case $1 in
        --objects | --events | --migrations | --rounds | --only | --output)
            declare "${1#--}=$(option_value "$@")"
            shift
            ;;
        --as-built) built=1 ;;
        -h | --help)
            usage "$0"
            exit
            ;;
        *) die "bench replay knows no option $1; see ./dev bench replay --help" ;;
    esac
    shift
done
if [[ -z $built ]]; then
    need build,bench
    bash "$WM_ROOT/tests/dev/build.sh" --preset release
fi
release=$WM_BUILD/release
aggregator=${WAYMARK_AGGREGATOR:-$release/aggregator/waymark-aggregator}

NS=openshift-migration RESTORES_EACH=2
WATCHED=/apis/velero.io/v1/namespaces/$NS/podvolumerestores

dir=$(mktemp -d /dev/shm/waymark-replay-XXXXXX)
# shellcheck disable=SC2317 # called at exit
tidy() {
    end_all_processes "$dir"
    rm -rf "$dir"
}
at_exit tidy
port=$(free_port) health=$(free_port) server=''

# The last core is the clients', the one before the server's; where there is only one they share it.
cores=$(nproc)
client_core=$((cores - 1)) server_core=$((cores > 1 ? cores - 2 : 0))

start_server() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=replay \
        -addext subjectAltName=IP:127.0.0.1 -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>"$dir/openssl.log" ||
        die "no certificate: $(<"$dir/openssl.log")"
    server=https://127.0.0.1:$port
    spawn "$dir" server taskset -c "$server_core" "$release/tests/bench/bench_replay_server" "$port" "$dir/cert.pem" \
        "$dir/key.pem" "$WM_ROOT/tests/bench/replay" "$events" migplans=1 migclusters=1 "migmigrations=$migrations" \
        "restores=$((migrations * RESTORES_EACH))" "podvolumerestores=$objects"
    eventually 20 ask /version >/dev/null
    cat >"$dir/kubeconfig" <<END
apiVersion: v1
kind: Config
current-context: replay
contexts: [{name: replay, context: {cluster: replay, user: replay, namespace: $NS}}]
clusters: [{name: replay, cluster: {server: "$server", certificate-authority: $dir/cert.pem}}]
users: [{name: replay, user: {token: replay}}]
END
}
ask() { curl -sSf --noproxy '*' --cacert "$dir/cert.pem" "${@:2}" "$server$1"; }

client=$release/tests/bench/bench_replay_client
informer=$(find_program waymark-informer) || informer=''
: "${only:=curl,library,model,following${informer:+,typed}}"
declare -A command=(
    [curl]="curl -sS -N --noproxy * --cacert $dir/cert.pem -o /dev/null https://127.0.0.1:$port$WATCHED?watch=true"
    [library]="$client $dir/kubeconfig $WATCHED podvolumerestores $events"
    [model]="$client $dir/kubeconfig $WATCHED podvolumerestores $events model"
    [following]="$aggregator run --kubeconfig $dir/kubeconfig --leader-election=false
        --health-listen 127.0.0.1:$health --log-level warn --conditions=false --verdicts=false --reports=false
        --events=false --repair-per-s 0"
    [typed]="env KUBECONFIG=$dir/kubeconfig $informer typed $NS velero.io/v1/podvolumerestores"
)

metric() {
    curl -sSf --noproxy '*' "http://127.0.0.1:$health/metrics" 2>/dev/null | awk -v name="$1" -v of="$2" '
        $1 ~ "^" name "([{]|$)" && index($0, of) { n += $2 } END { printf "%.0f\n", n }'
}
# cpu_ns PID: of all its threads
cpu_ns() { cat "/proc/$1/task"/*/schedstat | awk '{ n += $1 } END { printf "%.0f\n", n }'; }

# rests PID
rests() {
    local before
    before=$(cpu_ns "$1")
    sleep 0.5
    (($(cpu_ns "$1") - before < 5000000))
}
# arrived WHO: all events of a round have come to it. Strangers do not count them: they have taken all from the server
# when that has answered, and worked them off when they rest.
arrived() {
    case $1 in
        curl | typed) rests "$(pid_of "$dir" "$1")" ;;
        following) (($(metric waymark_watch_events_total '"podvolumerestores"') == events)) ;;
        *) grep -qx "$events" "$dir/$1.log" ;;
    esac
}
# settled WHO: it has read its lists, waits for events and has nothing else to do
settled() {
    case $1 in
        curl) true ;;
        typed) grep -q '^synced' "$dir/typed.log" ;;
        following)
            (($(metric waymark_judgements_total '') >= migrations)) &&
                curl -sSf --noproxy '*' -o /dev/null "http://127.0.0.1:$health/readyz" 2>/dev/null
            ;;
        *) grep -qx ready "$dir/$1.log" ;;
    esac
}

results=$dir/results.jsonl
# round WHO: one replay to a new process
round() {
    local pid before sent words ended
    read -r -d '' -a words <<<"${command[$1]}" || true
    rm -f "$dir/$1.log"
    spawn "$dir" "$1" taskset -c "$client_core" "${words[@]}"
    eventually 60 settled "$1" || die "$1: $(tail -n 5 "$dir/$1.log")"
    pid=$(pid_of "$dir" "$1") || die "$1 ended: $(tail -n 5 "$dir/$1.log")"
    before=$(cpu_ns "$pid")
    sent=$(ask /replay -X POST --max-time 180) || die "$1: the server sent nothing: $(tail -n 5 "$dir/$1.log")"
    eventually 120 arrived "$1" || die "$1 did not get all $events events: $(tail -n 5 "$dir/$1.log")"
    ended=$(now_ms)
    [[ $1 != curl && $1 != typed ]] || ended=$(jq .last_ms <<<"$sent")
    jq -c --arg who "$1" --argjson cpu_ns "$(($(cpu_ns "$pid") - before))" --argjson ended "$ended" '
        {who: $who, events, bytes, cpu_us: ($cpu_ns / .events / 1000), wall_s: (($ended - .first_ms) / 1000)}' \
        <<<"$sent" >>"$results"
    end_processes "$dir" "$1"
}

start_server
IFS=, read -ra all <<<"$only"
for who in "${all[@]}"; do
    [[ -v command[$who] ]] || die "bench replay knows no $who"
    headline "$who"
    for ((i = 0; i < rounds; i++)); do
        round "$who"
    done
done

mkdir -p "${output%/*}"
jq -s --argjson objects "$objects" --argjson migrations "$migrations" '
    def median: sort | .[length / 2 | floor];
    [group_by(.who)[] | .[0] + {cpu_us: (map(.cpu_us) | median), wall_s: (map(.wall_s) | median)}] as $all
    | ([$all[] | select(.who == "curl") | .cpu_us][0]) as $floor
    | [$all | sort_by(.cpu_us)[] | . + {objects: $objects, migrations: $migrations, per_core_s: (1e6 / .cpu_us | round),
        per_wall_s: (.events / .wall_s | round), to_curl: (if $floor then .cpu_us / $floor else null end)}]' \
    "$results" >"$output"
jq -r '
    def r: . * 100 | round / 100;
    .[] | [.who, .events, (.bytes / .events | round), (.cpu_us | r), .per_core_s, .per_wall_s,
        (if .to_curl then .to_curl | r else "-" end)] | @tsv' "$output" |
    { printf 'who\tevents\tbytes each\tCPU us each\tevents/s of a core\tevents/s\tratio to curl\n'; cat; } |
    if have column; then column -t -s $'\t'; else cat; fi
say "the numbers: $output"

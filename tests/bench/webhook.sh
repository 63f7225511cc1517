#!/usr/bin/env bash
# The webhook beside the reference webhook of Kubernetes itself (agnhost webhook, /add-label), in one run on pinned
# cores: the server on core 0, the client on core 1.
# Usage: ./dev bench webhook [--seconds N] [--rounds N] [--output FILE]
#
#   --seconds   of load a round (2)
#   --rounds    for each size and number of connections, both servers in turn (3)
#   --output    where the numbers go as JSON (build/bench/webhook.json)
#
# CPU a request comes from /proc/PID/stat and is steady on noisy machines; latencies are not, so of the rounds' latencies
# the median is told. A ratio below 1 is in our favour. $BODIES chooses among 2k 2k-labelled 10k 100k. Validation of plans
# is measured beside our own mutating path, which reads the same body and finds nothing to label.
set -euo pipefail
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../dev/lib.sh"
# shellcheck source=tests/dev/process.sh
source "$WM_ROOT/tests/dev/process.sh"
# shellcheck source=tests/cluster/pki.sh
source "$WM_ROOT/tests/cluster/pki.sh"
# shellcheck source=tests/cluster/find.sh
source "$WM_ROOT/tests/cluster/find.sh"

seconds=2 rounds=3 output=$WM_BUILD/bench/webhook.json
while (($#)); do
    case $1 in
        --seconds)
            seconds=$(option_value "$@")
            shift
            ;;
        --rounds)
            rounds=$(option_value "$@")
            shift
            ;;
        --output)
            output=$(option_value "$@")
            shift
            ;;
        -h | --help)
            usage "$0"
            exit
            ;;
        *) die "bench webhook knows no option $1; see ./dev bench webhook --help" ;;
    esac
    shift
done
need build,cluster,bench
bash "$WM_ROOT/tests/dev/build.sh" --preset release
bash "$WM_ROOT/tests/cluster/cluster.sh" assets --with agnhost >/dev/null
agnhost=$(find_program agnhost)
webhook=$WM_BUILD/release/webhook/waymark-webhook client=$WM_BUILD/release/tests/bench/bench_client

dir=$(mktemp -d /dev/shm/waymark-bench-XXXXXX)
# shellcheck disable=SC2317 # called at exit
tidy() {
    end_all_processes "$dir"
    rm -rf "$dir"
}
at_exit tidy
mkdir "$dir/bodies" "$dir/tls"
bash "$WM_ROOT/tests/bench/bodies.sh" "$dir/bodies"
new_ca "$dir/ca" bench-ca
new_certificate "$dir/ca" "$dir/pair" /CN=localhost DNS:localhost IP:127.0.0.1
cp "$dir/pair.crt" "$dir/tls/tls.crt"
cp "$dir/pair.key" "$dir/tls/tls.key"
our_port=$(free_port) health_port=$(free_port) their_port=$(free_port)
our_command=(taskset -c 0 "$webhook" serve --listen "127.0.0.1:$our_port" --health-listen "127.0.0.1:$health_port"
    --tls-mode files --tls-dir "$dir/tls" --parents=false)
their_command=(taskset -c 0 env GOMAXPROCS=1 "$agnhost" webhook --port "$their_port" --tls-cert-file "$dir/pair.crt"
    --tls-private-key-file "$dir/pair.key")

# name -> process, port, path; "validate" is our other path, measured beside /mutate
declare -A process=([waymark]=waymark [validate]=waymark [agnhost]=agnhost)
declare -A port=([waymark]=$our_port [validate]=$our_port [agnhost]=$their_port)
declare -A path=([waymark]=/mutate [validate]=/validate [agnhost]=/add-label)

start() {
    local name=$1
    case $name in
        waymark) spawn "$dir" waymark "${our_command[@]}" ;;
        agnhost) spawn "$dir" agnhost "${their_command[@]}" ;;
    esac
    eventually 10 curl -ksS --fail --noproxy '*' -o /dev/null -H 'Content-Type: application/json' \
        --data-binary "@$dir/bodies/2k.json" "https://127.0.0.1:${port[$name]}${path[$name]}"
}

# cpu_us NAME: user and system time so far
cpu_us() {
    awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) * 1000000 / tick }' "/proc/$(pid_of "$dir" "${process[$1]}")/stat"
}
rss_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$(pid_of "$dir" "${process[$1]}")/status"; }

# load NAME BODY CONNECTIONS: one line of JSON
load() {
    local name=$1 body=$2 connections=$3 before after line
    before=$(cpu_us "$name")
    line=$(BODY=$dir/bodies/$body.json URL_PATH=${path[$name]} taskset -c 1 wrk -t1 -c"$connections" -d"${seconds}s" \
        -s "$WM_ROOT/tests/bench/wrk.lua" "https://127.0.0.1:${port[$name]}" 2>&1 | tail -n 1)
    after=$(cpu_us "$name")
    jq -c --arg server "$name" --arg body "$body" --argjson connections "$connections" \
        --argjson cpu "$((${after%.*} - ${before%.*}))" \
        '. + {server: $server, body: $body, connections: $connections, cpu_us: $cpu}' <<<"$line"
}

# shake NAME: CPU of a connection with a full handshake and one request
shake() {
    local name=$1 before after line n=$((seconds * rounds * 125))
    before=$(cpu_us "$name")
    line=$(taskset -c 1 "$client" handshakes "${port[$name]}" "${path[$name]}" "$dir/bodies/2k.json" "$n")
    after=$(cpu_us "$name")
    jq -c --arg server "$name" --argjson cpu "$((${after%.*} - ${before%.*}))" \
        '. + {server: $server, body: "handshake", cpu_us_per_request: ($cpu / .connections)}' <<<"$line"
}

# exec_ready NAME: microseconds from exec to the first answer, the median of 5
exec_ready() {
    local variable=our_command i
    [[ $1 == waymark ]] || variable=their_command
    local -n command=$variable
    for i in 1 2 3 4 5; do
        "$client" exec-ready "${port[$1]}" "${path[$1]}" "$dir/bodies/2k.json" -- "${command[@]}" 2>/dev/null
    done | sort -n | sed -n 3p
}

results=$dir/results.jsonl
headline 'start-up, with an empty cluster'
exports=$(bash "$WM_ROOT/tests/cluster/cluster.sh" up "bench-$$")
at_exit "bash '$WM_ROOT/tests/cluster/cluster.sh' down bench-$$"
plain_command=("${our_command[@]}")
our_command+=(--parents=true --kubeconfig "$(sed -n 's/^export KUBECONFIG=//p' <<<"$exports")")
jq -cn --argjson us "$(exec_ready waymark)" '{server: "waymark", body: "exec-ready-with-cluster", us: $us}' >>"$results"
our_command=("${plain_command[@]}")
for name in waymark agnhost; do
    jq -cn --arg server "$name" --argjson us "$(exec_ready "$name")" '{server: $server, body: "exec-ready", us: $us}' >>"$results"
done
for name in waymark agnhost; do
    start "$name"
    sleep 3
    jq -cn --arg server "$name" --argjson kb "$(rss_kb "$name")" '{server: $server, body: "rss-idle", kb: $kb}' >>"$results"
done
measure() { # BODY CONNECTIONS [NAME...]
    local name round body=$1 connections=$2
    local -a names=(waymark agnhost)
    (($# == 2)) || names=("${@:3}")
    : >"$dir/rounds"
    for ((round = 0; round < rounds; round++)); do
        for name in "${names[@]}"; do
            load "$name" "$body" "$connections" >>"$dir/rounds"
        done
    done
    jq -cs 'def median(f): [.[] | f] | sort | .[length / 2 | floor];
        group_by(.server)[] | {server: .[0].server, body: .[0].body, connections: .[0].connections,
            requests: (map(.requests) | add), seconds: (map(.seconds) | add), errors: (map(.errors) | add),
            cpu_us_per_request: ((map(.cpu_us) | add) / (map(.requests) | add)),
            requests_per_second: ((map(.requests) | add) / (map(.seconds) | add)),
            p50_us: median(.p50_us), p99_us: median(.p99_us), p999_us: median(.p999_us), rounds: map({cpu_us, requests, p99_us})}' \
        "$dir/rounds" >>"$results"
}
for body in ${BODIES:-2k 2k-labelled 10k 100k}; do
    headline "$body"
    for connections in 1 8 32; do
        measure "$body" "$connections"
    done
done
for name in waymark agnhost; do
    jq -cn --arg server "$name" --argjson kb "$(rss_kb "$name")" '{server: $server, body: "rss-after-100k", kb: $kb}' >>"$results"
done
for body in 500k-update 1m; do
    headline "$body"
    measure "$body" 8
done
headline 27m-update
measure 27m-update 1
for body in plan-10k plan-200k plan-200k-update; do
    headline "$body: validation beside the mutating path"
    measure "$body" 8 waymark validate
done
headline handshakes
for name in waymark agnhost; do
    shake "$name" >>"$results"
done

mkdir -p "${output%/*}"
jq -s '.' "$results" >"$output"
jq -r '
    def r(f): f * 100 | round / 100;
    group_by([.body, .connections])[] | (map({(.server): .}) | add) as $s
    | ($s.validate // $s.waymark) as $w | (if $s.validate then $s.waymark else $s.agnhost end) as $a
    | if $w.requests then
        [$w.body + (if $s.validate then ": /validate beside /mutate" else "" end), $w.connections, r($w.cpu_us_per_request), r($a.cpu_us_per_request), r($w.cpu_us_per_request / $a.cpu_us_per_request),
         ($w.requests_per_second | round), ($a.requests_per_second | round), $w.p50_us, $a.p50_us, $w.p99_us, $a.p99_us,
         r($w.p99_us / ([$a.p99_us, 1] | max)), $w.p999_us, $a.p999_us, $w.errors + $a.errors]
      elif $w.body == "handshake" then
        [$w.body, $w.connections, r($w.cpu_us_per_request), r($a.cpu_us_per_request), r($w.cpu_us_per_request / $a.cpu_us_per_request),
         "-", "-", $w.p50_us, $a.p50_us, $w.p99_us, $a.p99_us, r($w.p99_us / $a.p99_us), "-", "-", $w.failed + $a.failed]
      elif $a then [$w.body, "-", ($w.kb // $w.us), ($a.kb // $a.us), r(($w.kb // $w.us) / ($a.kb // $a.us))]
      else [$w.body, "-", ($w.kb // $w.us)] end
    | @tsv' "$output" |
    { printf 'what\tconns\tCPU us (KB, us)\tagnhost\tratio\treq/s\tagnhost\tp50 us\tagnhost\tp99 us\tagnhost\tratio\tp99.9\tagnhost\terrors\n'; cat; } |
    column -t -s $'\t'
say "the numbers: $output"

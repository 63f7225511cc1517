# shellcheck shell=bash
# The aggregator as a process beside a local cluster, for the demo and the end-to-end tests. Sourced.
# shellcheck source=tests/dev/kube.sh
source "$(dirname "${BASH_SOURCE[0]}")/kube.sh"
# shellcheck source=tests/dev/process.sh
source "$WM_ROOT/tests/dev/process.sh"

AGGREGATOR=${WAYMARK_AGGREGATOR:-$WM_BUILD/release/aggregator/waymark-aggregator}

# start_aggregator DIR NAME [FLAG...]: one replica as process NAME of DIR; the caller's flags say by which --kubeconfig,
# and with which --namespace. Its health port in $AGGREGATOR_HEALTH_PORT, and for other processes to source in DIR/NAME.env.
start_aggregator() {
    local dir=$1 name=$2
    shift 2
    [[ -x $AGGREGATOR ]] || die "$AGGREGATOR is not there; ./dev build --preset release makes it"
    AGGREGATOR_HEALTH_PORT=$(free_port)
    printf 'AGGREGATOR_HEALTH_PORT=%q\n' "$AGGREGATOR_HEALTH_PORT" >"$dir/$name.env"
    spawn "$dir" "$name" "$AGGREGATOR" run --health-listen "127.0.0.1:$AGGREGATOR_HEALTH_PORT" "$@"
}

# Each of these asks the replica that was started last, or the one at HEALTH_PORT.

# aggregator_get PAGE [HEALTH_PORT]
aggregator_get() { curl -sS --fail --noproxy '*' --max-time 2 "http://127.0.0.1:${2:-$AGGREGATOR_HEALTH_PORT}/$1"; }
# aggregator_ready [HEALTH_PORT]: the host's first lists are in
aggregator_ready() { aggregator_get readyz "$@"; }
# aggregator_metric NAME_WITH_LABELS [HEALTH_PORT]: one number
aggregator_metric() {
    aggregator_get metrics "${2:-$AGGREGATOR_HEALTH_PORT}" |
        awk -v name="$1" '$1 == name { print $2; found = 1 } END { exit !found }'
}

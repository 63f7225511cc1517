# shellcheck shell=bash
# What every script behind ./dev shares: where things lie, how it speaks, how it waits. Sourced, never run.

WM_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
HOME=${HOME:-~}
WM_BUILD=$WM_ROOT/build                                             # one folder a preset, and logs/
WM_LOGS=$WM_BUILD/logs                                              # the full output of everything that ran
WM_CACHE=${WAYMARK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/waymark}  # what took long to make and outlives the clone
WM_STATE=${XDG_RUNTIME_DIR:-/tmp}                                   # what runs now: clusters, ports, test runs
[[ -w $WM_STATE ]] || WM_STATE=/tmp
WM_STATE=$WM_STATE/waymark-$UID
export WM_ROOT WM_BUILD WM_LOGS WM_CACHE WM_STATE

wm_bold='' wm_dim='' wm_red='' wm_green='' wm_yellow='' wm_plain=''
if [[ -t 2 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    wm_bold=$'\e[1m' wm_dim=$'\e[2m' wm_red=$'\e[31m' wm_green=$'\e[32m' wm_yellow=$'\e[33m' wm_plain=$'\e[0m'
fi

# Messages are for people and go to stderr; stdout carries results only.
say() { printf '%s\n' "$*" >&2; }
headline() { printf '%s%s%s\n' "$wm_bold" "$*" "$wm_plain" >&2; }
note() { printf '%s%s%s\n' "$wm_dim" "$*" "$wm_plain" >&2; }
warn() { printf '%swarning:%s %s\n' "$wm_yellow" "$wm_plain" "$*" >&2; }
die() {
    printf '%serror:%s %s\n' "$wm_red" "$wm_plain" "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# usage SCRIPT: prints the comment block at its head (from line 2 to the first line without a #) as the help text.
usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$1"; }

# option_value "$@": the value of an option that needs one; call as: name=$(option_value "$@")
option_value() {
    [[ $# -ge 2 && -n $2 ]] || die "$1 needs a value"
    printf '%s\n' "$2"
}

# need PURPOSE[,PURPOSE]: installs what the purpose needs and this machine lacks. Quick when nothing is missing.
need() { bash "$WM_ROOT/tests/dev/setup.sh" --quiet --only "$1"; }

now_ms() { printf '%s\n' "${EPOCHREALTIME/[.,]/}" | sed 's/...$//'; }

# seconds_since MS: the time since now_ms printed MS, as seconds with one decimal
seconds_since() {
    local ms=$(($(now_ms) - $1))
    printf '%d.%d\n' "$((ms / 1000))" "$((ms % 1000 / 100))"
}

# state_dir: makes $WM_STATE, private to this user, and refuses one that somebody else put there
state_dir() {
    [[ -d $WM_STATE ]] || mkdir -m 700 "$WM_STATE"
    [[ -O $WM_STATE && ! -L $WM_STATE ]] || die "$WM_STATE does not belong to this user; set XDG_RUNTIME_DIR to a folder that does"
}

# eventually SECONDS COMMAND...: repeats COMMAND until it succeeds; after SECONDS shows its last output and fails
eventually() {
    local limit=$1 deadline=$((SECONDS + $1)) output
    shift
    while ! output=$("$@" 2>&1); do
        if ((SECONDS >= deadline)); then
            say "not within $limit s: $*"
            [[ -z $output ]] || printf '%s\n' "$output" | tail -n 10 >&2
            return 1
        fi
        sleep 0.2
    done
}

# free_port: prints a TCP port below the ephemeral range that nobody listens on and nobody was given in the last minutes
free_port() {
    local port hex tries
    mkdir -p "$WM_STATE/ports"
    find "$WM_STATE/ports" -mindepth 1 -mmin +2 -delete 2>/dev/null || true
    for ((tries = 0; tries < 500; tries++)); do
        port=$((20000 + RANDOM % 12000))
        printf -v hex '%04X' "$port"
        ! grep -qsE "^ *[0-9]+: [0-9A-F]+:$hex [0-9A-F]+:[0-9A-F]+ 0A " /proc/net/tcp /proc/net/tcp6 || continue
        mkdir "$WM_STATE/ports/$port" 2>/dev/null || continue
        printf '%s\n' "$port"
        return
    done
    die "found no free port between 20000 and 31999"
}

# progress TITLE LOG [DETAIL_FUNCTION]: shows until it is killed how long TITLE has taken: on a terminal one line that
# counts, elsewhere a line every 30 seconds. DETAIL_FUNCTION gets LOG and prints a few words.
progress() {
    local title=$1 log=$2 detail=${3:-} began=$SECONDS text
    while sleep 1 >/dev/null 2>&1 && kill -0 "$$" 2>/dev/null; do
        text="$title: $((SECONDS - began)) s"
        [[ -z $detail ]] || text+=", $("$detail" "$log" 2>/dev/null)" || true
        if [[ -t 2 ]]; then
            printf '\r\e[K%s' "${text:0:${COLUMNS:-100}}" >&2
        elif (((SECONDS - began) % 30 == 0)); then
            say "$text"
        fi
    done
}

# at_exit COMMAND: runs COMMAND when the script ends, however it ends; the last one given runs first
wm_at_exit=()
at_exit() { wm_at_exit+=("$1"); }
wm_leave() {
    local status=$? i
    trap - EXIT
    trap '' INT TERM HUP # what has begun to be tidied is tidied to the end
    set +e
    for ((i = ${#wm_at_exit[@]} - 1; i >= 0; i--)); do
        eval "${wm_at_exit[i]}"
    done
    exit "$status"
}
trap wm_leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# step TITLE LOG COMMAND...: runs COMMAND with all its output in LOG, showing the time it takes ($STEP_DETAIL names a
# function for progress). On failure shows the end of LOG and returns COMMAND's status. COMMAND has a process group of
# its own, so that stopping the script stops all of it, and at once.
wm_step_group=''
step() {
    local title=$1 log=$2 began status=0 ticker
    shift 2
    began=$(now_ms)
    mkdir -p "${log%/*}"
    : >"$log"
    progress "$title" "$log" "${STEP_DETAIL:-}" &
    ticker=$!
    set -m
    "$@" >>"$log" 2>&1 </dev/null &
    wm_step_group=$!
    set +m
    wait "$wm_step_group" || status=$?
    wm_step_group=''
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    [[ ! -t 2 ]] || printf '\r\e[K' >&2
    if ((status == 0)); then
        say "$title: ${wm_green}done${wm_plain} in $(seconds_since "$began") s"
    else
        say "$title: ${wm_red}failed${wm_plain} (status $status) after $(seconds_since "$began") s; the end of $log:"
        tail -n "${STEP_TAIL:-25}" "$log" | sed 's/^/    /' >&2
    fi
    return "$status"
}
# The step that was cut short tidies up after itself before the script ends.
wm_end_step() {
    local waited
    [[ -n $wm_step_group ]] || return 0
    kill -- "-$wm_step_group" 2>/dev/null
    for ((waited = 0; waited < 300; waited++)); do
        kill -0 -- "-$wm_step_group" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -s KILL -- "-$wm_step_group" 2>/dev/null
}
at_exit wm_end_step

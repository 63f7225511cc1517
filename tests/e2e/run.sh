#!/usr/bin/env bash
# End-to-end tests on a real API server.
# Usage: tests/e2e/run.sh [--list] [--keep] [PATTERN...]      (./dev test e2e runs all of them, by lanes.sh)
#
#   PATTERN   only tests whose "case: description function" contains one of them (a shell pattern)
#   --list    print the tests and run none
#   --keep    leave the clusters and logs of a failed run
#
# A case is a file in tests/e2e/cases with functions test_*; the comment line above a function describes it. What lib.sh
# says is at hand in each. Each test runs in a process of its own; the case's functions case_begin and case_end, if it
# has them, run before and after its tests. All share one cluster with the project's own definitions.
#
# $E2E_SUITE names another folder of cases beside tests/e2e/cases: node has those that need a real node (./dev test node).
# $E2E_CANNOT is why this machine cannot run any of them: each is skipped.
# $WAYMARK_WEBHOOK names another webhook than build/release's, e.g. one with a sanitizer: what that finds is a failure.
# $WAYMARK_REAL_CRDS names a folder with the original definitions of MTC, Velero and VirtRigaud (any depth of *.yaml):
# tests that ask for them are skipped where there is none.
# $E2E_CLAIMS names the folder in which the lanes of lanes.sh claim cases, $E2E_BACKWARDS makes the last case the first.
set -euo pipefail
# shellcheck source=tests/dev/kube.sh
source "$(dirname "${BASH_SOURCE[0]}")/../dev/kube.sh"
# shellcheck source=tests/dev/process.sh
source "$WM_ROOT/tests/dev/process.sh"

list='' keep='' patterns=()
while (($#)); do
    case $1 in
        --list) list=1 ;;
        --keep) keep=1 ;;
        -h | --help)
            usage "$0"
            exit
            ;;
        -*) die "e2e knows no option $1; see --help" ;;
        *) patterns+=("$1") ;;
    esac
    shift
done

# tests_of FILE: prints "function<tab>description" of each test in it
tests_of() {
    awk '
        /^#/ { comment = $0; sub(/^# */, "", comment); next }
        match($0, /^test_[A-Za-z0-9_]+ *\(\)/) {
            name = substr($0, 1, RLENGTH); sub(/ *\(\)$/, "", name)
            if (comment == "") { comment = name; sub(/^test_/, "", comment); gsub(/_/, " ", comment) }
            print name "\t" comment
        }
        { comment = "" }' "$1"
}

wanted() {
    local pattern
    ((${#patterns[@]})) || return 0
    for pattern in "${patterns[@]}"; do
        # shellcheck disable=SC2053 # a pattern on purpose
        [[ $1 != *$pattern* ]] || return 0
    done
    return 1
}

files=() functions=() titles=()
cases=("$WM_ROOT/tests/e2e/${E2E_SUITE:-cases}"/*.sh)
[[ -z ${E2E_BACKWARDS:-} ]] || mapfile -t cases < <(printf '%s\n' "${cases[@]}" | tac)
for file in "${cases[@]}"; do
    [[ -e $file ]] || continue
    case_name=$(basename "$file" .sh)
    found=''
    while IFS=$'\t' read -r function description; do
        found=1
        wanted "$case_name: $description $function" || continue
        files+=("$file") functions+=("$function") titles+=("$case_name: $description")
    done < <(tests_of "$file")
    [[ -n $found ]] || { files+=("$file") functions+=('') titles+=("$case_name: has tests"); }
done
((${#titles[@]})) || die "no end-to-end test matches ${patterns[*]:-}"
if [[ -n $list ]]; then
    printf '%s\n' "${titles[@]}"
    exit
fi

if [[ -n ${E2E_CANNOT:-} ]]; then
    for title in "${titles[@]}"; do printf 'ok - %s # SKIP %s\n' "$title" "$E2E_CANNOT"; done
    printf '0 passed, 0 failed, %d skipped\n' "${#titles[@]}"
    exit
fi

need build,cluster
bash "$WM_ROOT/tests/dev/build.sh" --preset release
if [[ -z ${WAYMARK_REAL_CRDS:-} && -d $WM_ROOT/../shared/crds ]]; then
    WAYMARK_REAL_CRDS=$(readlink -f "$WM_ROOT/../shared/crds")
fi
export WAYMARK_REAL_CRDS=${WAYMARK_REAL_CRDS:-}
state_dir
E2E_NAME=e2e-$$ E2E_DIR=$WM_STATE/e2e-$$
export E2E_NAME E2E_DIR
mkdir -m 700 "$E2E_DIR" "$E2E_DIR/shared"

passed=0 failed=0 skipped=0 runner=''
# shellcheck disable=SC2317 # called at exit
leave() {
    local cluster
    [[ -z $runner ]] || kill -- "-$runner" 2>/dev/null || true
    if [[ -n $keep && $failed -gt 0 ]]; then
        say "kept: $E2E_DIR and the clusters $E2E_NAME*; ./dev cluster down ends them"
        return
    fi
    end_everything "$E2E_DIR"
    for cluster in "$WM_STATE"/clusters/"$E2E_NAME"*; do
        [[ ! -e $cluster ]] || bash "$WM_ROOT/tests/cluster/cluster.sh" down "$(basename "$cluster")" 2>/dev/null || true
    done
    rm -rf "$E2E_DIR"
}
at_exit leave

logs=$WM_LOGS/e2e${E2E_SUITE:+-$E2E_SUITE}
[[ -n ${E2E_CLAIMS:-} ]] || rm -rf "$logs"
mkdir -p "$logs"
export ASAN_OPTIONS="log_path=$logs/sanitizer" UBSAN_OPTIONS="log_path=$logs/sanitizer:print_stacktrace=1"
export TSAN_OPTIONS="log_path=$logs/sanitizer"
began=$(now_ms)
exports=$(bash "$WM_ROOT/tests/cluster/cluster.sh" up "$E2E_NAME")
eval "$exports"
apply_crds "$WM_ROOT/tests/crds"
note "the cluster was ready after $(seconds_since "$began") s"

# attempt LOG LIMIT FILE FUNCTION: runs one function of a case in a process of its own; 124 when it took too long
attempt() {
    local status=0
    set -m # a process group of its own, so that all of it can be ended
    timeout --foreground -k 5 "$2" bash "$WM_ROOT/tests/e2e/one.sh" "$3" "$4" >"$1" 2>&1 </dev/null &
    runner=$!
    set +m
    wait "$runner" || status=$?
    kill -- "-$runner" 2>/dev/null || true
    runner=''
    return "$status"
}

# show_failure LOG: what a failed test said, and what the servers said at the end
show_failure() {
    local server
    sed 's/^/    /' "$1" | tail -n 60 >&2
    for server in "$E2E_TEST_DIR"/*.log "$E2E_DIR"/shared/*.log "$(dirname "$KUBECONFIG")"/{apiserver,node/kubelet}.log; do
        [[ -s $server ]] || continue
        cp "$server" "${1%.log}.$(basename "$server")"
        say "    the end of ${server##*/}:"
        # Of a Kubernetes log (I, W, E, F and a date) only what is worse than information.
        grep -vE '^I[0-9]{4} ' "$server" | tail -n 15 | cut -c1-300 | sed 's/^/    | /' >&2 || true
    done
    say "    all of it: ${1%.log}*"
}

# around FUNCTION FILE: case_begin or case_end, where the case has it
around() {
    local log
    log=$logs/$(basename "$2" .sh)-$1.log
    E2E_TEST_DIR=$E2E_CASE_DIR
    attempt "$log" 300 "$2" "$1" && return
    say "$(basename "$2"): $1 failed"
    remember_failure "$(basename "$2"): $1" "$log"
    show_failure "$log"
    return 1
}

# remember_failure TITLE LOG: said again at the end, where whoever sees only the end of a long output reads it
failures=()
remember_failure() { failures+=("$1: $(tail -n 3 "$2" | cut -c1-400)"); }

# is_mine FILE: no other lane has taken it
is_mine() { [[ -z ${E2E_CLAIMS:-} ]] || mkdir "$E2E_CLAIMS/$(basename "$1")" 2>/dev/null; }

export E2E_TEST_DIR='' E2E_CASE_DIR=''
current='' began_well=1 others=''
for ((i = 0; i < ${#titles[@]}; i++)); do
    file=${files[i]} function=${functions[i]} title=${titles[i]}
    [[ $file != "$others" ]] || continue
    if [[ $file != "$current" ]]; then
        is_mine "$file" || {
            others=$file
            continue
        }
        [[ -z $current ]] || around case_end "$current" || ((failed += 1))
        [[ -z $current ]] || end_everything "$E2E_CASE_DIR"
        current=$file E2E_CASE_DIR=$E2E_DIR/$(basename "$file" .sh)
        mkdir -p "$E2E_CASE_DIR"
        began_well=1
        around case_begin "$file" || began_well=''
    fi
    log=$logs/$(basename "$file" .sh)-${function:-none}.log
    E2E_TEST_DIR=$E2E_CASE_DIR/${function:-none}
    mkdir -p "$E2E_TEST_DIR"
    began=$(now_ms) status=1
    : >"$log"
    if [[ -n $began_well && -n $function ]]; then
        status=0
        attempt "$log" "${E2E_LIMIT:-300}" "$file" "$function" || status=$?
    fi
    took=$(seconds_since "$began")
    case $status in
        0)
            ((passed += 1))
            printf '%sok%s - %s (%s s)\n' "$wm_green" "$wm_plain" "$title" "$took"
            ;;
        77)
            ((skipped += 1))
            printf 'ok - %s # SKIP %s\n' "$title" "$(tail -n 1 "$log")"
            ;;
        *)
            ((failed += 1))
            printf '%snot ok%s - %s (%s s)\n' "$wm_red" "$wm_plain" "$title" "$took"
            ((status != 124)) || say "    it took longer than ${E2E_LIMIT:-300} s"
            remember_failure "$title" "$log"
            show_failure "$log"
            ;;
    esac
    end_everything "$E2E_TEST_DIR"
done
[[ -z $current ]] || around case_end "$current" || ((failed += 1))
[[ -z $current ]] || end_everything "$E2E_DIR" # so that leaks are told, too
if compgen -G "$logs/sanitizer*" >/dev/null; then
    ((failed += 1))
    printf 'not ok - a sanitizer found something: %s\n' "$logs/sanitizer*"
    failures+=("a sanitizer found something: $logs/sanitizer*")
    head -n 60 "$logs"/sanitizer* >&2
fi
((failed == 0)) || printf 'failed: %s\n' "${failures[@]}"
printf '%d passed, %d failed%s\n' "$passed" "$failed" "$( ((skipped == 0)) || printf ', %d skipped' "$skipped")"
((failed == 0))

#!/usr/bin/env bash
# Runs parts of the tests and adds up their counts.
# Usage: ./dev test [--verbose] [PART...]
#
#   unit   unit tests (build/dev)
#   e2e    end-to-end tests on a real API server of this machine
#   node   end-to-end tests with a real node and real pods: root, mounts, cgroups, containerd; skipped where no node can start
#   e2e-asan, e2e-tsan   the end-to-end tests of the webhook with one of the sanitizers below in it
#   asan   the unit tests under the address and undefined behaviour sanitizers
#   tsan   the unit tests under the thread sanitizer
#   fuzz   each fuzzer for a few seconds
#   lint   formatting and static analysis; each check counts as one test
#   all    all of these, as when no PART is given
#
# The last line is "N passed, N failed", with ", N skipped" where some were; the exit
# status is 1 when any failed. A part that breaks off counts as failed. All output is in build/logs.
set -euo pipefail
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

all=(unit asan tsan fuzz lint e2e-asan e2e-tsan node e2e)
verbose='' parts=()
while (($#)); do
    case $1 in
        --verbose | -v) verbose=1 ;;
        unit | e2e | node | e2e-asan | e2e-tsan | asan | tsan | fuzz | lint) parts+=("$1") ;;
        all) parts+=("${all[@]}") ;;
        -h | --help)
            usage "$0"
            exit
            ;;
        *) die "test knows no part $1; see ./dev test --help" ;;
    esac
    shift
done
((${#parts[@]})) || parts=("${all[@]}")

run_part() {
    case $1 in
        unit) need build && bash "$WM_ROOT/tests/dev/unit.sh" dev ;;
        asan | tsan) need build,test && bash "$WM_ROOT/tests/dev/unit.sh" "$1" ;;
        e2e) need cluster && bash "$WM_ROOT/tests/e2e/lanes.sh" ;;
        node) run_node ;;
        e2e-*)
            need build,test,cluster
            bash "$WM_ROOT/tests/dev/build.sh" --preset "${1#e2e-}"
            WAYMARK_WEBHOOK=$WM_BUILD/${1#e2e-}/webhook/waymark-webhook bash "$WM_ROOT/tests/e2e/run.sh" 20-labels 30-bad-input
            ;;
        fuzz) bash "$WM_ROOT/tests/dev/fuzz.sh" --seconds 5 ;;
        lint) bash "$WM_ROOT/tests/dev/lint.sh" ;;
    esac
}

# run_node: where there can be no node, the tests are skipped, and say why
run_node() {
    local why='' said=$WM_LOGS/node-can.log
    mkdir -p "$WM_LOGS"
    # Into a file: stopped while it writes into a pipe that nobody reads any more, it would not come to tidy up.
    if ! bash "$WM_ROOT/tests/cluster/node.sh" can >"$said" 2>&1; then
        cat "$said"
        why=$(tail -n 1 "$said")
    # Built before the clock of a test runs.
    elif ! bash "$WM_ROOT/tests/cluster/assets.sh" --with node; then
        why='the kubelet cannot be built'
    fi
    E2E_CANNOT=$why E2E_SUITE=node bash "$WM_ROOT/tests/e2e/run.sh"
}

# shellcheck disable=SC2317 # called by step
last_line() { tail -n 1 "$1" | cut -c1-80; }
# shellcheck disable=SC2034 # read by step
STEP_DETAIL=last_line STEP_TAIL=60

passed=0 failed=0 skipped=0
for part in "${parts[@]}"; do
    log=$WM_LOGS/test-$part.log
    status=0
    if [[ -n $verbose ]]; then
        mkdir -p "$WM_LOGS"
        run_part "$part" 2>&1 | tee "$log" >&2 || status=$?
    else
        step "$part" "$log" run_part "$part" || status=$?
    fi
    # The last line that counts is the part's own total; without one, or with a status that contradicts it, one failed.
    if [[ $(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1) =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
        part_passed=${BASH_REMATCH[1]} part_failed=${BASH_REMATCH[2]} part_skipped=${BASH_REMATCH[4]:-0}
        ((status == 0 || part_failed > 0)) || part_failed=1
    else
        part_passed=0 part_failed=1 part_skipped=0
    fi
    ((passed += part_passed, failed += part_failed, skipped += part_skipped)) || true
    headline "  $part: $part_passed passed, $part_failed failed, $part_skipped skipped"
    sed -n 's/^ok - .* # SKIP /    skipped: /p' "$log" | sort -u >&2
done
printf '%d passed, %d failed%s\n' "$passed" "$failed" "$( ((skipped == 0)) || printf ', %d skipped' "$skipped")"
((failed == 0))

#!/usr/bin/env bash
# All end-to-end tests, two cases at a time, each lane on a cluster of its own: most tests wait most of the time.
# Usage: tests/e2e/lanes.sh [PATTERN...]      (PATTERNs and the rest as for run.sh)
#
# One lane goes through the cases forwards, the other backwards, until they meet.
set -euo pipefail
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../dev/lib.sh"
[[ ${1:-} != -h && ${1:-} != --help ]] || {
    usage "$0"
    exit
}

need build,cluster
bash "$WM_ROOT/tests/dev/build.sh" --preset release
claims=$(mktemp -d)
# shellcheck disable=SC2317 # called at exit
drop_claims() { rm -rf "$claims"; }
at_exit drop_claims
rm -rf "$WM_LOGS/e2e"
mkdir -p "$WM_LOGS/e2e"
export E2E_CLAIMS=$claims

lanes=(forwards backwards) pids=()
for lane in "${lanes[@]}"; do
    [[ $lane == forwards ]] || export E2E_BACKWARDS=1
    bash "$WM_ROOT/tests/e2e/run.sh" "$@" > >(tee "$WM_LOGS/e2e/lane-$lane.log") &
    pids+=($!)
done
# shellcheck disable=SC2317 # called at exit
end_lanes() { kill "${pids[@]}" 2>/dev/null || true; }
at_exit end_lanes

status=0 passed=0 failed=0 skipped=0
for pid in "${pids[@]}"; do
    wait "$pid" || status=1
done
for lane in "${lanes[@]}"; do
    log=$WM_LOGS/e2e/lane-$lane.log
    if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
        ((passed += BASH_REMATCH[1], failed += BASH_REMATCH[2], skipped += BASH_REMATCH[4])) || true
    else
        ((failed += 1))
        say "lane $lane broke off; see $log"
    fi
    ! grep '^failed: ' "$log" || true # again, where whoever sees only the end reads it
done
((status == 0 || failed > 0)) || failed=1
printf '%d passed, %d failed%s\n' "$passed" "$failed" "$( ((skipped == 0)) || printf ', %d skipped' "$skipped")"
((failed == 0))

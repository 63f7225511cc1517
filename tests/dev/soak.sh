#!/usr/bin/env bash
# Plays for long what the end-to-end tests play for a minute.
# Usage: ./dev soak owner [--rounds N]
#
#   owner      mig-controller, with so many rounds of its own (10000) on up to 150 migrations at once, beside the aggregator: no
#              write of ours may cost it a conflict, and neither side may lose anything
#
# 10,000 rounds take about four minutes on two idle processors; 150 migrations make 170,000 an hour. Prints what was counted.
set -euo pipefail
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

name='' rounds=10000
while (($#)); do
    case $1 in
        --rounds)
            rounds=$(option_value "$@")
            shift
            ;;
        --rounds=*) rounds=${1#*=} ;;
        -h | --help)
            usage "$0"
            exit
            ;;
        -*) die "soak knows no option $1; see ./dev soak --help" ;;
        *) name=$1 ;;
    esac
    shift
done
[[ $name == owner ]] || die "soak needs what to play: owner; see ./dev soak --help"
[[ $rounds =~ ^[1-9][0-9]{0,6}$ ]] || die "--rounds takes a number from 1 to 9999999: $rounds"
need build,cluster

CASE=85-aggregator-owner
test_log=$WM_LOGS/e2e/$CASE-test_no_conflicts.log
# shellcheck disable=SC2317 # called by step
how_far() { grep ' rounds, ' "$test_log" | tail -n 1 | grep . || printf 'preparing'; }
# Only what hangs is cut off: 150 migrations make more than thirty rounds a second.
STEP_DETAIL=how_far E2E_LIMIT=$((1800 + rounds / 30)) WAYMARK_PLAYER_ROUNDS=$rounds \
    step "soak $name" "$WM_LOGS/soak-$name.log" bash "$WM_ROOT/tests/e2e/run.sh" "$CASE"
grep -E '^[0-9]+ migrations|^\{"|^writes:' "$test_log"

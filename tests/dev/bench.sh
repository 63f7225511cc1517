#!/usr/bin/env bash
# Runs the measurements in tests/bench, on the release build.
# Usage: ./dev bench               all of them
#        ./dev bench --list        their names
#        ./dev bench NAME [...]    one of them, with options of its own; NAME --help lists those
#
# A measurement is tests/bench/NAME.sh and writes its numbers to build/bench.
set -euo pipefail
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# What measures says so in a comment at its head: "Usage: ./dev bench NAME".
measurements() { grep -lE '^# Usage: \./dev bench ' "$WM_ROOT"/tests/bench/*.sh 2>/dev/null | sed 's|.*/||; s|\.sh$||'; }

case ${1:-} in
    -h | --help)
        usage "$0"
        exit
        ;;
    --list)
        measurements
        exit
        ;;
    -*) die "bench knows no option $1; see ./dev bench --help" ;;
esac
mapfile -t names < <(measurements)
((${#names[@]})) || die 'tests/bench has no measurement'
if (($#)); then
    [[ " ${names[*]} " == *" $1 "* ]] || die "there is no measurement $1: ${names[*]}"
    names=("$1")
    shift
fi
[[ " $* " == *' --help '* ]] || need build,bench,cluster
mkdir -p "$WM_BUILD/bench"
broken=0
for name in "${names[@]}"; do
    headline "bench: $name"
    bash "$WM_ROOT/tests/bench/$name.sh" "$@" || {
        warn "$name failed"
        broken=1
    }
done
((broken == 0))

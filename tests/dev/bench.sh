#!/usr/bin/env bash
# Runs the measurements in tests/bench, on the release build.
# Usage: ./dev bench [--list] [--out DIR] [NAME...]
#
#   --list   print the names of the measurements
#   --out    where the numbers go (build/bench); each measurement writes its own files there
#   NAME     only these
#
# A measurement is an executable tests/bench/NAME.sh; it gets the folder in WAYMARK_BENCH_OUT.
set -euo pipefail
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

list='' out=$WM_BUILD/bench names=()
while (($#)); do
    case $1 in
        --list) list=1 ;;
        --out)
            out=$(option_value "$@")
            shift
            ;;
        --out=*) out=${1#*=} ;;
        -h | --help)
            usage "$0"
            exit
            ;;
        -*) die "bench knows no option $1; see ./dev bench --help" ;;
        *) names+=("$1") ;;
    esac
    shift
done
if ((${#names[@]} == 0)); then
    for file in "$WM_ROOT"/tests/bench/*.sh; do
        [[ ! -x $file ]] || names+=("$(basename "$file" .sh)")
    done
fi
((${#names[@]})) || die 'tests/bench has no measurement'
if [[ -n $list ]]; then
    printf '%s\n' "${names[@]}"
    exit
fi
need bench,cluster
bash "$WM_ROOT/tests/dev/build.sh" --preset release
mkdir -p "$out"
export WAYMARK_BENCH_OUT=$out
broken=0
for name in "${names[@]}"; do
    file=$WM_ROOT/tests/bench/$name.sh
    [[ -x $file ]] || die "there is no measurement $name; ./dev bench --list names them"
    headline "bench: $name"
    "$file" || {
        warn "$name failed (status $?)"
        broken=1
    }
done
say "numbers are in $out"
((broken == 0))

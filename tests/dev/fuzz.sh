#!/usr/bin/env bash
# Runs the fuzzers, each on its own corpus.
# Usage: ./dev fuzz [--seconds N] [--list] [NAME...]
#
#   --seconds   how long each runs (60); 0 only replays the corpus
#   --list      print the fuzzers' names
#   NAME        only these
#
# The corpus in tests/fuzz/corpus/NAME is read, never written; what a run finds goes to build/fuzz-found/NAME and is
# the start of the next run. An input that breaks something is kept in build/fuzz-found as NAME-crash-*; add it to the
# corpus when it is mended. A dictionary is tests/fuzz/NAME.dict. Prints "N passed, N failed" last.
set -euo pipefail
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

seconds=60 list='' names=()
while (($#)); do
    case $1 in
        --seconds)
            seconds=$(option_value "$@")
            shift
            ;;
        --seconds=*) seconds=${1#*=} ;;
        --list) list=1 ;;
        -h | --help)
            usage "$0"
            exit
            ;;
        -*) die "fuzz knows no option $1; see ./dev fuzz --help" ;;
        *) names+=("$1") ;;
    esac
    shift
done
[[ $seconds =~ ^[0-9]+$ ]] || die "--seconds takes a number: $seconds"
bash "$WM_ROOT/tests/dev/build.sh" --preset fuzz

declare -A programs=()
while IFS= read -r program; do
    program_name=${program##*/fuzz_}
    programs[$program_name]=$program
done < <(find "$WM_BUILD/fuzz" -type f -name 'fuzz_*' -executable | sort)
((${#programs[@]})) || die "build/fuzz has no fuzzer"
((${#names[@]})) || mapfile -t names < <(printf '%s\n' "${!programs[@]}" | sort)
if [[ -n $list ]]; then
    printf '%s\n' "${names[@]}"
    exit
fi

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
passed=0 failed=0
for name in "${names[@]}"; do
    [[ -n ${programs[$name]:-} ]] || die "there is no fuzzer $name; ./dev fuzz --list names them"
    found=$WM_BUILD/fuzz-found/$name corpus=$WM_ROOT/tests/fuzz/corpus/$name dictionary=$WM_ROOT/tests/fuzz/$name.dict
    mkdir -p "$found"
    flags=(-timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$WM_BUILD/fuzz-found/$name-")
    if ((seconds > 0)); then flags+=(-max_total_time="$seconds"); else flags+=(-runs=0); fi
    [[ ! -e $dictionary ]] || flags+=(-dict="$dictionary")
    folders=("$found")
    [[ ! -d $corpus ]] || folders+=("$corpus")
    if [[ $name == review || $name == validate || $name == model || $name == analyze ]]; then # their seeds are the goldens
        bash "$WM_ROOT/tests/fuzz/seeds.sh" "$name" "$WM_BUILD/fuzz-seeds/$name"
        folders+=("$WM_BUILD/fuzz-seeds/$name")
    fi
    log=$WM_LOGS/fuzz-$name.log
    if step "fuzz $name" "$log" nice "${programs[$name]}" "${flags[@]}" "${folders[@]}"; then
        ((passed += 1))
        printf 'ok - %s (%s runs)\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    else
        ((failed += 1))
        printf 'not ok - %s\n' "$name"
    fi
done
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))

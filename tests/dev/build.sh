#!/usr/bin/env bash
# Compiles the project into build/PRESET.
# Usage: ./dev build [--preset NAME] [--target NAME] [--fresh]
#
#   --preset   dev (the default: debug, assertions), release, asan, tsan, coverage or fuzz
#   --target   build only this target
#   --fresh    forget what cmake found before
set -euo pipefail
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

preset=dev target='' fresh=()
while (($#)); do
    case $1 in
        --preset)
            preset=$(option_value "$@")
            shift
            ;;
        --preset=*) preset=${1#*=} ;;
        --target)
            target=$(option_value "$@")
            shift
            ;;
        --target=*) target=${1#*=} ;;
        --fresh) fresh=(--fresh) ;;
        -h | --help)
            usage "$0"
            exit
            ;;
        *) die "build knows no option $1; see ./dev build --help" ;;
    esac
    shift
done
case $preset in
    dev | release | coverage) need build ;;
    asan | tsan | fuzz) need build,test ;;
    *) die "there is no preset $preset: dev, release, asan, tsan, coverage or fuzz" ;;
esac

cd "$WM_ROOT"
STEP_TAIL=60
if [[ ! -e build/$preset/build.ninja || ${#fresh[@]} -gt 0 ]]; then
    step "build: configure $preset" "$WM_LOGS/configure-$preset.log" cmake --preset "$preset" "${fresh[@]}"
fi
# shellcheck disable=SC2317 # called by step
ninja_count() { grep -oE '^\[[0-9]+/[0-9]+\]' "$1" | tail -n 1; }
# shellcheck disable=SC2034 # read by step
STEP_DETAIL=ninja_count
step "build: compile $preset" "$WM_LOGS/build-$preset.log" \
    nice cmake --build "build/$preset" ${target:+--target "$target"}

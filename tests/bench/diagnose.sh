#!/usr/bin/env bash
# What it costs to judge one migration anew after an event, beside nine others, ninety-nine and nine hundred and ninety-nine.
# Usage: ./dev bench diagnose [--output FILE]
#
#   --output   where the table goes as well (build/bench/diagnose.txt)
#
# No API server: the model in memory, 20 objects a migration. The ratio is to ten migrations in the same run.
set -euo pipefail
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../dev/lib.sh"

output=$WM_BUILD/bench/diagnose.txt
while (($#)); do
    case $1 in
        --output)
            output=$(option_value "$@")
            shift
            ;;
        -h | --help)
            usage "$0"
            exit
            ;;
        *) die "bench diagnose knows no option $1; see ./dev bench diagnose --help" ;;
    esac
    shift
done
need build
bash "$WM_ROOT/tests/dev/build.sh" --preset release
mkdir -p "${output%/*}"
"$WM_BUILD/release/tests/bench/bench_diagnose" | tee "$output"

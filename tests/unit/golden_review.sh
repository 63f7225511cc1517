#!/usr/bin/env bash
# Runs tests/golden/review/<case>; see tests/golden/README.md.
# Usage: tests/unit/golden_review.sh PROGRAM [CASE...]
set -euo pipefail
program=$(realpath "$1")
shift
# shellcheck source=tests/unit/golden_cases.sh
. "$(dirname "${BASH_SOURCE[0]}")/golden_cases.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../golden/review"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# output: how the case's standard output is called
output() {
    local ext
    ext=$(awk 'last == "-o" || last == "--output" { print } { last = $0 }' args)
    [[ -n $ext && $ext != text ]] || ext=txt
    printf 'out.%s\n' "$ext"
}

# run: leaves what came of the case in $work
run() {
    local args input=/dev/null
    mapfile -t args <args
    [[ ! -e stdin ]] || input=stdin
    "$program" review "${args[@]}" <"$input" >"$work/out" 2>"$work/err.txt" && echo 0 >"$work/status" || echo $? >"$work/status"
    if [[ -e filter.jq ]]; then
        jq -f filter.jq "$work/out" >"$work/$(output)"
    else
        mv "$work/out" "$work/$(output)"
    fi
}

check() {
    golden_compare "$work" "$(output)" err.txt status || return 1
    if [[ $(output) == out.json ]]; then jq -e '.objects and .summary' "$work/out.json" >"$work/jq" || return 1; fi
}

golden_cases "$@"

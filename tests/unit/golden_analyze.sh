#!/usr/bin/env bash
# Runs tests/golden/analyze/<case>; see tests/golden/README.md.
# Usage: tests/unit/golden_analyze.sh PROGRAM [CASE...]
set -euo pipefail
program=$(realpath "$1")
shift
# shellcheck source=tests/unit/golden_cases.sh
. "$(dirname "${BASH_SOURCE[0]}")/golden_cases.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../golden/analyze"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# run: leaves what came of the case in $work/got; archives that it asks for are packed beside a copy of it
run() {
    local args folder archive
    rm -rf "$work/case" "$work/got"
    mkdir "$work/got"
    cp -r . "$work/case"
    if [[ -e pack ]]; then
        read -r folder archive <pack
        tar -C "$(dirname "$folder")" -czf "$work/case/$archive" "$(basename "$folder")"
    fi
    mapfile -t args <args
    (cd "$work/case" && "$program" analyze "${args[@]}" </dev/null >"$work/got/out" 2>"$work/got/err.txt") &&
        echo 0 >"$work/got/status" || echo $? >"$work/got/status"
    if jq . "$work/got/out" >"$work/got/out.json" 2>/dev/null && [[ -s $work/got/out.json ]]; then
        rm "$work/got/out"
    else
        rm -f "$work/got/out.json"
        mv "$work/got/out" "$work/got/out.txt"
    fi
}

check() {
    local files=("$work"/got/*)
    golden_compare "$work/got" "${files[@]##*/}"
}

golden_cases "$@"

#!/usr/bin/env bash
# Runs tests/golden/review/<case>; see tests/golden/README.md.
# Usage: tests/unit/golden_review.sh PROGRAM [CASE...]
set -euo pipefail
program=$(realpath "$1")
shift
cd "$(dirname "${BASH_SOURCE[0]}")/../golden/review"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

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
    local file
    for file in "$(output)" err.txt status; do
        if [[ -n ${WAYMARK_GOLDEN_UPDATE:-} ]]; then cp "$work/$file" "$file"; fi
        diff -u "$file" "$work/$file" || return 1
    done
    if [[ $(output) == out.json ]]; then jq -e '.objects and .summary' "$work/out.json" >"$work/jq" || return 1; fi
}

cases=("$@")
((${#cases[@]})) || cases=(*/)
for name in "${cases[@]%/}"; do
    if (cd "$name" && run && check); then
        echo "ok - $name"
    else
        echo "not ok - $name"
        failed=1
    fi
done
exit $failed

#!/usr/bin/env bash
# The README's tables are the programs' own: compares them, or with --update rewrites them.
# Usage: tests/lint/readme.sh [--update]
set -euo pipefail
cd "$(dirname "$0")/../.."
failed=0

# built NAME: where waymark-NAME is
built() {
    local candidate
    for candidate in build/release build/dev; do
        [[ ! -x $candidate/$1/waymark-$1 ]] || { printf '%s\n' "$candidate/$1/waymark-$1" && return; }
    done
    echo "readme: build the $1 first (./dev build)" >&2
    return 1
}
webhook=$(built webhook)
aggregator=$(built aggregator)

# section NAME TEXT: the lines between <!-- NAME... --> and <!-- /NAME --> in the README are TEXT
section() {
    local name=$1 text=$2 new
    new=$(TEXT=$text awk -v name="$name" '
        index($0, "<!-- /" name " -->") == 1 { inside = 0; found++ }
        !inside
        index($0, "<!-- " name) == 1 { print ENVIRON["TEXT"]; inside = 1; found++ }
        END { if (found != 2) exit 1 }' README.md) || { echo "readme: README.md has no section $name" >&2 && exit 1; }
    if [[ $new == "$(<README.md)" ]]; then
        return
    elif [[ ${update:-} ]]; then
        printf '%s\n' "$new" >README.md
    else
        diff <(printf '%s\n' "$new") README.md >&2 || true
        echo "readme: section $name is not what its program says; tests/lint/readme.sh --update rewrites it" >&2
        failed=1
    fi
}

update=''
[[ ${1:-} != --update ]] || update=1
section labels "$("$webhook" labels)"
section rules "$("$webhook" rules --output markdown)"
section causes "$("$aggregator" causes --output markdown)"
# shellcheck disable=SC2016 # the backquotes are Markdown
section review "$(printf '```\n%s\n```' "$("$webhook" review --help)")"
# shellcheck disable=SC2016
section options "$(printf '```\n%s\n```' "$("$webhook" serve --help)")"
# shellcheck disable=SC2016
section run "$(printf '```\n%s\n```' "$("$aggregator" run --help)")"
# shellcheck disable=SC2016
section analyze "$(printf '```\n%s\n```' "$("$aggregator" analyze --help)")"
[[ $failed -ne 0 ]] || echo "readme: the tables are the programs'"
exit $failed

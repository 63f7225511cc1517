#!/usr/bin/env bash
# The README's tables are the program's own: compares them, or with --update rewrites them.
# Usage: tests/lint/readme.sh [--update]
set -euo pipefail
cd "$(dirname "$0")/../.."
program=
for candidate in build/release build/dev; do
    [[ ! -x $candidate/webhook/waymark-webhook ]] || { program=$candidate/webhook/waymark-webhook && break; }
done
[[ -n $program ]] || { echo 'readme: build the webhook first (./dev build)' >&2 && exit 1; }
failed=0

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
        echo "readme: section $name is not what the program says; tests/lint/readme.sh --update rewrites it" >&2
        failed=1
    fi
}

update=''
[[ ${1:-} != --update ]] || update=1
section labels "$("$program" labels)"
section rules "$("$program" rules --output markdown)"
# shellcheck disable=SC2016 # the backquotes are Markdown
section review "$(printf '```\n%s\n```' "$("$program" review --help)")"
# shellcheck disable=SC2016
section options "$(printf '```\n%s\n```' "$("$program" serve --help)")"
[[ $failed -ne 0 ]] || echo 'readme: the tables are the program'"'"'s'
exit $failed

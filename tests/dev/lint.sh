#!/usr/bin/env bash
# Formatting and static analysis. Each check is one line, "ok" or "not ok"; "N passed, N failed" comes last.
# Usage: ./dev lint [--fix] [CHECK...]
#
#   format       clang-format agrees with every C file (--fix rewrites them)
#   tidy         clang-tidy
#   cppcheck     cppcheck
#   analyzer     gcc -fanalyzer on lib/
#   shell        shellcheck on every shell script
#   NAME         tests/lint/NAME.sh; all of these run by default, too
#
# A check that could not run counts as failed.
set -euo pipefail
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

fix='' checks=()
while (($#)); do
    case $1 in
        --fix) fix=1 ;;
        -h | --help)
            usage "$0"
            exit
            ;;
        -*) die "lint knows no option $1; see ./dev lint --help" ;;
        *) checks+=("$1") ;;
    esac
    shift
done
cd "$WM_ROOT"
need lint,build

# What git knows or would take: files that are new count, what is ignored does not.
files() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do [[ ! -f $file ]] || printf '%s\n' "$file"; done; }
mapfile -t sources < <(files '*.c')
mapfile -t shipped < <(files '*.c' | grep -v '^tests/')
mapfile -t headers < <(files '*.h')
mapfile -t scripts < <({ files '*.sh' && files | grep -vE '\.[a-z]+$' | while read -r file; do
    [[ $(head -c 64 "$file" | head -n 1 | tr -d '\0') != '#!'*sh ]] || printf '%s\n' "$file"
done; } | sort -u)
jobs=$(nproc)
commands=build/dev/compile_commands.json

format() {
    local how=(--dry-run -Werror)
    [[ -z $fix ]] || how=(-i)
    clang-format "${how[@]}" "${sources[@]}" "${headers[@]}"
}
# The build's own warnings are gcc's; clang does not know all of them.
tidy() {
    printf '%s\n' "${compiled[@]}" | grep "^$WM_ROOT/" | grep -v "^$WM_ROOT/tests/" |
        nice xargs -P "$jobs" -n 4 clang-tidy --quiet -p build/dev --extra-arg=-Wno-unknown-warning-option
}
# cppcheck cannot read __VA_OPT__, so it gets headers without; it gets cJSON's, too, or it would not know its loops.
# Like every tool that looks at one file at a time it cannot know that outputs are set when a function did not fail, so
# uninitialized values are left to gcc.
cppcheck_all() {
    local include=$WM_BUILD/cppcheck-include
    rm -rf "$include"
    mkdir -p "$WM_BUILD"
    cp -r include "$include"
    sed -i 's/ __VA_OPT__(, ){0}//' "$include"/waymark/*.h
    cp -r "$(pkg-config --variable=includedir libcjson)/cjson" "$include"
    nice cppcheck -j "$jobs" --enable=warning,performance,portability --inline-suppr --error-exitcode=1 --std=c11 \
        --suppress=missingIncludeSystem --suppress=uninitvar --quiet -D_GNU_SOURCE -D__GNUC__=12 -I "$include" -I . "${shipped[@]}"
}
# Each file of lib/ is compiled again with its own flags, without writing an object.
analyzer() {
    local lines
    lines=$(jq -r --arg lib "$WM_ROOT/lib/" '.[] | select(.file | startswith($lib)) | "cd \(.directory) && \(.command)"' \
        "$commands" | sed -E 's/ -o [^ ]+/ -o \/dev\/null/; s/$/ -fanalyzer/')
    [[ -n $lines ]] || { echo 'no file of lib/ is in the list of compile commands' && return 1; }
    nice xargs -d '\n' -P "$jobs" -n 1 bash -c <<<"$lines"
}
shellcheck_all() { shellcheck -x "${scripts[@]}"; }

# clang-tidy and the analyzer read what cmake knows about each file.
compiled=()
needs_commands() {
    [[ -e $commands ]] || bash tests/dev/build.sh --target help >/dev/null || return
    bash tests/dev/build.sh || return
    mapfile -t compiled < <(jq -r '.[].file' "$commands" | sort -u)
    ((${#compiled[@]}))
}

passed=0 failed=0
# check NAME COMMAND...: runs one of the checks when it was asked for
check() {
    local name=$1 log=$WM_LOGS/lint-$1.log began status=0
    shift
    [[ ${#checks[@]} -eq 0 || " ${checks[*]} " == *" $name "* ]] || return 0
    began=$(now_ms)
    mkdir -p "$WM_LOGS"
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if ((status == 0)); then
        ((passed += 1))
        printf 'ok - %s (%s s)\n' "$name" "$(seconds_since "$began")"
    else
        ((failed += 1))
        printf 'not ok - %s (%s s)\n' "$name" "$(seconds_since "$began")"
        head -n 60 "$log" | sed 's/^/    /' >&2
        say "    all of it: $log"
    fi
}

check format format
if [[ ${#checks[@]} -eq 0 || " ${checks[*]} " == *" tidy "* || " ${checks[*]} " == *" analyzer "* ]]; then
    needs_commands || warn "the list of compile commands could not be made: clang-tidy and the analyzer will fail"
fi
check tidy tidy
check cppcheck cppcheck_all
check analyzer analyzer
check shell shellcheck_all
for script in tests/lint/*.sh; do
    [[ ! -x $script ]] || check "$(basename "$script" .sh)" "./$script"
done
((passed + failed > 0)) || die "there is no such check: ${checks[*]}"
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))

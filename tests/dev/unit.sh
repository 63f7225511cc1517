#!/usr/bin/env bash
# Builds a preset and runs its unit tests; part of ./dev test. Prints "N passed, N failed" last.
# Usage: tests/dev/unit.sh [PRESET]
set -euo pipefail
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

preset=${1:-dev}
bash "$WM_ROOT/tests/dev/build.sh" --preset "$preset"
log=$WM_LOGS/ctest-$preset.log
status=0
# What a sanitizer finds ends the program, so that it counts.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}
nice ctest --test-dir "$WM_BUILD/$preset" -V --no-tests=error -j "$(nproc)" >"$log" 2>&1 || status=$?
counts=$(awk -f "$WM_ROOT/tests/dev/count.awk" "$log")
read -r passed failed skipped < <(sed -n 's/^counts: //p' <<<"$counts")
if ((status != 0 && failed == 0)); then
    failed=1
    say "ctest failed (status $status):"
    tail -n 20 "$log" >&2
elif ((failed > 0)); then
    sed -n 's/^failed: /not ok - /p' <<<"$counts"
    # What cmocka and the sanitizers said about it.
    grep -E '\[  ERROR   \]|\[   LINE   \]|ERROR: |runtime error|WARNING: ThreadSanitizer|\*\*\*' "$log" | head -n 40 >&2 || true
fi
printf '%d passed, %d failed%s\n' "$passed" "$failed" "$( ((skipped == 0)) || printf ', %d skipped' "$skipped")"
((failed == 0))

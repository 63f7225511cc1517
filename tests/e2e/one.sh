#!/usr/bin/env bash
# Runs one function of one case; started by run.sh. Exit 77 means skipped, with the reason as the last line.
set -Eeuo pipefail
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
trap 'failed_at "$?" "${BASH_SOURCE[0]##*/}" "$LINENO" "$BASH_COMMAND"' ERR
# shellcheck disable=SC1090
source "$1"
case $2 in
    case_begin | case_end) ! declare -F "$2" >/dev/null || "$2" ;;
    *) "$2" ;;
esac

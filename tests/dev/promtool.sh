#!/usr/bin/env bash
# Prints where promtool is; fetches it when it is nowhere. Of Debian's package that one program alone is taken, into the cache:
# installing it would bring the service prometheus with it.
# Usage: tests/dev/promtool.sh
set -euo pipefail
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

kept=$WM_CACHE/promtool
if have promtool; then
    command -v promtool
    exit
elif [[ -x $kept ]]; then
    printf '%s\n' "$kept"
    exit
fi

# Made beside its place and moved there: of two who fetch at a time each leaves a whole one.
mkdir -p "$WM_CACHE"
work=$(mktemp -d "$WM_CACHE/promtool.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download prometheus >&2 || die 'promtool is not here, and apt-get does not bring the package prometheus'
dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool
mv usr/bin/promtool "$kept"
printf '%s\n' "$kept"

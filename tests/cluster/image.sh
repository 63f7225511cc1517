#!/usr/bin/env bash
# An image of nothing but a static busybox, as an archive that `ctr images import` takes.
# Usage: image.sh pause|provider FILE
#
#   pause      does nothing; what holds a pod's network
#   provider   takes START_S (1) seconds to start, answers GET /healthz on port 8080, and ends at SIGTERM
set -euo pipefail
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../dev/lib.sh"

name=$1 file=$2
case $name in
    pause) entry='["/bin/sleep", "2000000000"]' ;;
    provider) entry='["/provider"]' ;;
    *) die "image knows no image $name" ;;
esac
work=$(mktemp -d "$file.XXXXXX")
at_exit "rm -rf '$work'"

mkdir -p "$work/root/bin" "$work/root/www" "$work/root/tmp"
cp "$(command -v busybox)" "$work/root/bin/busybox"
for applet in sh sleep httpd; do ln -s busybox "$work/root/bin/$applet"; done
echo ok >"$work/root/www/healthz"
cat >"$work/root/provider" <<'END'
#!/bin/sh
# The first process of a container gets no signal that it does not ask for.
trap 'exit 0' TERM
sleep "${START_S:-1}"
httpd -f -p 8080 -h /www &
wait
END
chmod 755 "$work/root/provider"
tar -C "$work/root" --owner=0 --group=0 --numeric-owner -cf "$work/layer.tar" .

case $(uname -m) in x86_64) machine=amd64 ;; aarch64) machine=arm64 ;; *) machine=$(uname -m) ;; esac
cat >"$work/config.json" <<END
{"architecture": "$machine", "os": "linux", "config": {"Env": ["PATH=/bin"], "Entrypoint": $entry},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$(sha256sum <"$work/layer.tar" | cut -d' ' -f1)"]}}
END
printf '[{"Config": "config.json", "RepoTags": ["waymark.test/%s:1"], "Layers": ["layer.tar"]}]\n' "$name" \
    >"$work/manifest.json"
tar -C "$work" -cf "$file" manifest.json config.json layer.tar

#!/usr/bin/env bash
# The node as one process: makes its bridge, runs it in mounts and processes of its own, and removes what is left when
# either ends. Started by node.sh.
# Usage: node-run.sh DIR NAME BRIDGE SUBNET KUBELET
set -euo pipefail
dir=$1 name=$2 bridge=$3 subnet=$4 kubelet=$5

inside=''
# shellcheck disable=SC2317 # called at exit
leave() {
    local status=$?
    trap '' TERM INT HUP
    set +e
    # Its first process takes all others of the node with it, and the last of them the mounts.
    [[ -z $inside ]] || { kill -s KILL "$inside" && wait "$inside"; } 2>/dev/null
    ip link delete "$bridge"
    remove_cgroups
    exit "$status"
}
# remove_cgroups: those of the containers that ran, which takes a moment after their last process has ended
# shellcheck disable=SC2317 # called at exit
remove_cgroups() {
    local tries container
    local -a ours=(-false)
    for container in "$dir"/own/run/containerd/io.containerd.runtime.v2.task/k8s.io/*; do
        ours+=(-o -path "*/k8s.io/${container##*/}*")
    done
    for ((tries = 0; tries < 100; tries++)); do
        ! find /sys/fs/cgroup -depth -type d \( "${ours[@]}" \) -exec rmdir {} + 2>/dev/null || break
        sleep 0.05
    done
    find /sys/fs/cgroup -mindepth 1 -maxdepth 2 -type d -name k8s.io -exec rmdir {} + 2>/dev/null
}
trap leave EXIT
trap 'exit 143' TERM INT HUP

printf 'no bridge\n' >"$dir/stage"

ip link delete "$bridge" 2>/dev/null || true # what one that was killed has left
ip link add "$bridge" type bridge
ip address add "$subnet.1/24" dev "$bridge"
ip link set "$bridge" up
# If this process is killed, so is that one.
setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc \
    bash "$(dirname "${BASH_SOURCE[0]}")/node-inside.sh" "$dir" "$name" "$subnet" "$kubelet" &
inside=$!
wait "$inside"

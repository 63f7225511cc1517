#!/usr/bin/env bash
# The node's first process, in mounts and processes of its own: hides what the node would change of the machine, and starts
# containerd and kubelet. The node's folder is /mnt here. Started by node-run.sh.
# Usage: node-inside.sh DIR NAME SUBNET KUBELET       (KUBELET '': tries whether a container runs, and ends)
set -euo pipefail
dir=$1 name=$2 subnet=$3 kubelet=$4

# stage WHAT: why there is no node, should it end here
stage() { printf '%s\n' "$1" >"$dir/stage"; }

stage 'nothing can be mounted'
mount --bind "$dir" /mnt
if [[ -n $kubelet ]]; then
    touch /mnt/programs/kubelet
    mount --bind "$kubelet" /mnt/programs/kubelet
fi
mkdir -p /mnt/own/run /mnt/own/lib /mnt/own/log /mnt/own/sys
# The kubelet sets these for the whole machine, and does not start where it cannot.
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys \
    kernel/keys/root_maxbytes; do
    [[ -e /proc/sys/$setting ]] || continue
    cat "/proc/sys/$setting" >"/mnt/own/sys/${setting//\//.}"
    mount --bind "/mnt/own/sys/${setting//\//.}" "/proc/sys/$setting"
done
# Sockets, network namespaces, the network's state and the pods' logs have fixed places.
mount --bind /mnt/own/run /run
mount --bind /mnt/own/lib /var/lib
mount --bind /mnt/own/log /var/log
cd /mnt

stage 'containerd does not start'
containerd --config /mnt/containerd.toml >/mnt/containerd.log 2>&1 &
containerd=$!
ctr=(ctr --connect-timeout 1s --address /mnt/containerd.sock --namespace k8s.io)
tries=0
until "${ctr[@]}" version >/dev/null 2>&1; do
    { kill -0 "$containerd" && ((++tries < 100)); } || exit 1
    sleep 0.1
done
stage 'containerd takes no image'
for image in /mnt/*.tar; do "${ctr[@]}" images import --snapshotter native "$image"; done
if [[ -z $kubelet ]]; then
    stage 'no container runs'
    "${ctr[@]}" run --rm --snapshotter native waymark.test/pause:1 try /bin/sh -c 'exit 0'
    stage ''
    exit
fi
stage 'the kubelet does not get on'

remote=()
[[ $(/mnt/programs/kubelet --help) != *' --container-runtime string '* ]] || remote=(--container-runtime=remote)
/mnt/programs/kubelet --config=/mnt/kubelet.yaml --kubeconfig=/mnt/kubelet.kubeconfig --hostname-override="$name" \
    --node-ip="$subnet.1" --root-dir=/mnt/kubelet --cert-dir=/mnt/kubelet-pki \
    --container-runtime-endpoint=unix:///mnt/containerd.sock "${remote[@]}" >/mnt/kubelet.log 2>&1 &
wait -n # neither is of use without the other

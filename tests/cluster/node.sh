#!/usr/bin/env bash
# A real node beside a control plane of this machine: containerd, kubelet and kube-scheduler. Pods really start and end.
# Usage: ./dev cluster node up NAME       start one in cluster NAME and wait until pods can run on it
#        ./dev cluster node down NAME     end it with all its pods, and remove what it kept
#        ./dev cluster node can           say why this machine cannot have one, and fail; succeeds when a container ran
#        ./dev cluster node exec NAME COMMAND...   run a command as the node's programs see the machine
#
# Needs root. The node has its own mounts and processes, so that both go with it; on the machine itself it makes one
# bridge, which has the cluster's pods on it, and their cgroups, and removes them at its end. ./dev cluster down ends it, too.
# Pods reach the bridge and nothing beyond; from this machine they are reached by their addresses.
# Two images are there, waymark.test/pause:1 and waymark.test/provider:1 (see image.sh); nothing is pulled.
set -euo pipefail
# shellcheck source=tests/cluster/find.sh
source "$(dirname "${BASH_SOURCE[0]}")/find.sh"
# shellcheck source=tests/dev/process.sh
source "$WM_ROOT/tests/dev/process.sh"
# shellcheck source=tests/cluster/pki.sh
source "$WM_ROOT/tests/cluster/pki.sh"

# load NAME: sets the cluster's variables and node, the node's folder
NAME='' URL='' SERVICES='' CONTROLLER_MANAGER='' node=''
load() {
    local dir=$WM_STATE/clusters/$1
    [[ -f $dir/cluster.env && -O $dir/cluster.env ]] || die "there is no cluster $1 (./dev cluster status lists them)"
    # shellcheck disable=SC1091
    source "$dir/cluster.env"
    dir=$(readlink -f "$dir")
    pki=$dir/pki node=$dir/node
    # The cluster's addresses for Services are its own on this machine; so are the names that are made of them.
    BRIDGE=wm-${SERVICES#127.}
    BRIDGE=${BRIDGE//./-}
    export KUBECONFIG=$dir/kubeconfig
}

# The machine is asked in two steps: check looks at each thing that is needed, can also lets a container run as a node would.
# Both say why not in one line, the last one, for a test that is skipped.
cannot() {
    say "$1"
    exit 1
}
check() {
    local program
    ((UID == 0)) || cannot 'needs root'
    # shellcheck disable=SC2016 # of the other shell
    unshare --mount --pid --fork --mount-proc sh -c 'mount --bind /run /mnt && mount -t tmpfs none /run' 2>/dev/null ||
        cannot 'no mounts'
    can_cgroup || cannot 'no cgroups'
    need node >&2 || cannot 'what a node is made of cannot be installed'
    for program in containerd ctr runc ip busybox nsenter setpriv; do have "$program" || cannot "no $program"; done
    [[ -x /usr/lib/cni/bridge ]] || cannot 'no CNI plugins in /usr/lib/cni'
}
# can_cgroup: one can be made, and a process be put into it
probe=''
can_cgroup() {
    probe=/sys/fs/cgroup
    [[ ! -d $probe/memory ]] || probe+=/memory
    probe+=/wm-probe-$$
    at_exit remove_probe
    mkdir "$probe" 2>/dev/null && sh -c 'echo $$ >"$1/cgroup.procs"' sh "$probe" 2>/dev/null
}
# remove_probe: as soon as the process that was in it has ended
# shellcheck disable=SC2317 # called at exit
remove_probe() {
    local tries=0
    until [[ ! -d $probe ]] || rmdir "$probe" 2>/dev/null || ((++tries > 40)); do sleep 0.05; done
}

# can: within a minute
can() {
    local subnet waited
    check
    state_dir
    node=$WM_STATE/node-try-$$
    at_exit take_down
    mkdir -m 700 "$node"
    subnet=$(free_subnet)
    write_containerd_config >"$node/containerd.toml"
    bash "$WM_ROOT/tests/cluster/image.sh" pause "$node/pause.tar" || cannot 'no image can be made'
    # Whatever becomes of this script, it ends.
    spawn "$node" node setpriv --pdeathsig TERM bash "$WM_ROOT/tests/cluster/node-run.sh" "$node" try "wm-t$$" "$subnet" ''
    for ((waited = 0; waited < 300; waited++)); do
        pid_of "$node" node >/dev/null || break
        sleep 0.2
    done
    ! why_not || cannot "$why"
}
# why_not: sets why, to the stage at which it stands and the last thing that was said of it; fails when it came through
why=''
why_not() {
    local log=containerd said
    { why=$(<"$node/stage"); } 2>/dev/null || why='nothing starts'
    [[ $why != *kubelet* ]] || log=kubelet
    said=$(grep -shE '^[A-Za-z]+( [a-z]+)?: |^F[0-9]{4} |level=fatal' "$node/node.log" "$node/$log.log" | tail -n 1 | cut -c1-200)
    [[ -n $why ]] && why+=${said:+: $said}
}

# free_subnet: prints 198.18.N or 198.19.N, of the addresses set aside for tests of networks, that nobody here uses
free_subnet() {
    local n=$((RANDOM % 512)) tries
    for ((tries = 0; tries < 512; tries++, n = (n + 1) % 512)); do
        printf -v subnet '198.%d.%d' "$((18 + n / 256))" "$((n % 256))"
        [[ -n $(ip -4 route show "$subnet.0/24") ]] || break
    done
    printf '%s\n' "$subnet"
}

# write_kubeconfig FILE USER [GROUP]: with a certificate of the cluster's CA
write_kubeconfig() {
    new_certificate "$pki/ca" "$node/$2" "${3:+/O=$3}/CN=$2"
    cat >"$1" <<END
apiVersion: v1
kind: Config
current-context: node
clusters: [{name: node, cluster: {server: "$URL", certificate-authority-data: $(base64 -w0 "$pki/ca.crt")}}]
users:
- name: node
  user:
    client-certificate-data: $(base64 -w0 "$node/$2.crt")
    client-key-data: $(base64 -w0 "$node/$2.key")
contexts: [{name: node, context: {cluster: node, user: node}}]
END
}

# Everything that the kubelet would change on the machine is off: iptables, limits of its own, swap.
write_kubelet_config() {
    cat <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
port: $(free_port)
healthzPort: $(free_port)
readOnlyPort: 0
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: /mnt/ca.crt}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
failSwapOn: false
nodeStatusUpdateFrequency: 2s
makeIPTablesUtilChains: false
volumePluginDir: /mnt/plugins
resolvConf: /mnt/resolv.conf
clusterDNS: [$subnet.1]
evictionHard: {nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%"}
END
}

write_containerd_config() {
    cat <<END
version = 2
root = "/mnt/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt"]
[grpc]
  address = "/mnt/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "waymark.test/pause:1"
  restrict_oom_score_adj = true
  disable_tcp_service = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/mnt/cni"
END
}

# The bridge gets its address from us and is no gateway: the plugin would turn on forwarding for the whole machine.
write_network() {
    cat <<END
{"cniVersion": "0.4.0", "name": "waymark", "plugins": [{"type": "bridge", "bridge": "$BRIDGE",
  "ipam": {"type": "host-local", "dataDir": "/mnt/addresses",
    "ranges": [[{"subnet": "$subnet.0/24", "rangeStart": "$subnet.10", "gateway": "$subnet.1"}]]}}]}
END
}

# same_version: a kubelet of another version than its API server is another experiment
same_version() {
    local server kubelet
    server=$(kubectl version -o json 2>/dev/null | jq -r '.serverVersion.gitVersion')
    kubelet=$("$KUBELET" --version)
    [[ ${kubelet#* } == "$server" ]]
}

# shellcheck disable=SC2317 # called by eventually
pods_can_run() {
    pid_of "$node" node >/dev/null || return 1
    kubectl wait "node/$NAME" --for=condition=Ready --timeout=1s >/dev/null && [[ -z $(kubectl get "node/$NAME" \
        -o 'jsonpath={.spec.taints}') ]]
}

# shellcheck disable=SC2317 # called at exit
give_up_unless_started() {
    # shellcheck disable=SC2154 # wm_leave sets status
    [[ -z $started ]] || return 0
    ((status >= 128)) || tail -n 15 "$node"/*.log | sed 's/^/    /' >&2
    take_down
}
take_down() {
    end_all_processes "$node"
    rm -rf "$node"
}

up() {
    local subnet image began
    local -a scheduler_args=()
    check
    need cluster
    bash "$WM_ROOT/tests/cluster/assets.sh" --with node >/dev/null
    KUBELET=$(find_program kubelet)
    [[ -n $CONTROLLER_MANAGER ]] || die "cluster $NAME has no controller manager, so that nothing would run on a node"
    same_version || die "the API server is not of the version of $("$KUBELET" --version)"
    [[ ! -e $node ]] || die "cluster $NAME has a node"
    began=$(now_ms)
    mkdir -m 700 "$node" "$node/cni" "$node/programs"
    started=''
    at_exit give_up_unless_started
    subnet=$(free_subnet)
    write_kubelet_config >"$node/kubelet.yaml"
    write_containerd_config >"$node/containerd.toml"
    write_network >"$node/cni/waymark.conflist"
    printf 'nameserver %s.1\n' "$subnet" >"$node/resolv.conf"
    cp "$pki/ca.crt" "$node/ca.crt"
    write_kubeconfig "$node/kubelet.kubeconfig" "system:node:$NAME" system:nodes
    write_kubeconfig "$node/scheduler.kubeconfig" system:kube-scheduler
    for image in pause provider; do bash "$WM_ROOT/tests/cluster/image.sh" "$image" "$node/$image.tar"; done

    spawn "$node" node bash "$WM_ROOT/tests/cluster/node-run.sh" "$node" "$NAME" "$BRIDGE" "$subnet" "$KUBELET"
    SCHEDULER=$(find_program kube-scheduler)
    [[ $("$SCHEDULER" --help 2>/dev/null) != *' --port int '* ]] || scheduler_args=(--port=0)
    spawn "$node" scheduler "$SCHEDULER" --kubeconfig="$node/scheduler.kubeconfig" --leader-elect=false --secure-port=0 \
        --profiling=false "${scheduler_args[@]}"
    eventually 90 pods_can_run || ! why_not || die "the node of cluster $NAME did not become ready: $why"
    started=1
    note "cluster $NAME has a node after $(seconds_since "$began") s; pods in $subnet.0/24"
}

down() {
    [[ -d $node ]] || die "cluster $NAME has no node"
    take_down
    note "the node of cluster $NAME is down"
}

# in_node COMMAND...: with its mounts and processes
in_node() {
    local pid
    pid=$(pid_of "$node" node) || die "the node of cluster $NAME does not run"
    pid=$(pgrep -P "$(pgrep -P "$pid" -x unshare)")
    exec nsenter --target "$pid" --mount --pid -- "$@"
}

case ${1:-help} in
    can) can ;;
    up | down | exec)
        (($# >= 2)) || die "$1 the node of which cluster?"
        load "$2"
        case $1 in
            exec) in_node "${@:3}" ;;
            *) "$1" ;;
        esac
        ;;
    -h | --help | help) usage "$0" ;;
    *) die "node knows no command $1; see ./dev cluster node --help" ;;
esac

#!/usr/bin/env bash
# Real Kubernetes control planes on this machine: etcd, kube-apiserver and kube-controller-manager, side by side by name.
# Usage: ./dev cluster up [NAME] [OPTIONS]        start one (or find it running) and print: export KUBECONFIG=...
#        ./dev cluster down [NAME...] | --all     end it and remove what it kept
#        ./dev cluster status [NAME...]           what runs, and whether it answers
#        ./dev cluster env [NAME]                 print its variables as NAME=VALUE lines
#        ./dev cluster stop|start|restart NAME [PART]   PART: apiserver (the default), etcd or controller-manager
#        ./dev cluster pause|resume NAME [PART]         freeze it and let it go on
#        ./dev cluster assets                     find or build the programs; see ./dev cluster assets --help
#        ./dev cluster node up|down NAME          a real node in it, as root; see ./dev cluster node --help
#
# NAME is waymark when none is given; --name NAME says the same. What stop and restart end gets two seconds to end by
# itself: an API server that still serves watches would take much longer.
# Options of up:
#   --port P                    the API server's port; a free one by default
#   --dir DIR                   keep its state in DIR (a new or an empty folder)
#   --no-controller-manager     API server and etcd only: no garbage collection, no service accounts
#   --apiserver-arg=--FLAG=V    one more argument for kube-apiserver; may be given again
#   --controller-manager-arg=A  the same for kube-controller-manager
#   --etcd-arg=A                the same for etcd
#
# A Service of type ClusterIP gets an address in 127.N.M.0/24, of its own for every cluster: a process that listens on
# that address is reached through the Service without kube-proxy.
set -euo pipefail
# shellcheck source=tests/cluster/find.sh
source "$(dirname "${BASH_SOURCE[0]}")/find.sh"
# shellcheck source=tests/dev/process.sh
source "$WM_ROOT/tests/dev/process.sh"
# shellcheck source=tests/cluster/pki.sh
source "$WM_ROOT/tests/cluster/pki.sh"

state_dir
CLUSTERS=$WM_STATE/clusters # a folder a cluster, or a link to the folder that --dir named
mkdir -p "$CLUSTERS"

# load NAME: sets dir and the cluster's variables (NAME, URL, PORT, ...); fails when there is no such cluster
NAME='' URL='' PORT='' ETCD='' CONTROLLER_MANAGER=''
load() {
    dir=$CLUSTERS/$1
    [[ -f $dir/cluster.env && -O $dir/cluster.env ]] || return 1
    # shellcheck disable=SC1091
    source "$dir/cluster.env"
}

must_load() { load "$1" || die "there is no cluster $1 (./dev cluster status lists them)"; }

part_name() {
    case ${1:-apiserver} in
        apiserver | etcd | controller-manager) printf '%s\n' "${1:-apiserver}" ;;
        *) die "a cluster has no part $1: apiserver, etcd or controller-manager" ;;
    esac
}

# ask PATH [CURL_OPTION...]: asks the loaded cluster as administrator, prints the answer, fails unless it is 2xx
ask() {
    local path=$1
    shift
    curl -sS --fail --noproxy '*' --max-time 5 --cacert "$dir/pki/ca.crt" -H "@$dir/pki/admin.header" "$URL$path" "$@"
}

api_ready() { ask /readyz >/dev/null; }

# namespace_ready: a pod could be created in namespace default, which takes its service account and that one's token
namespace_ready() {
    if [[ -n $CONTROLLER_MANAGER ]]; then
        # First the cheap question: admission lets a pod wait a second for a service account that is not there.
        ask /api/v1/namespaces/default/serviceaccounts/default >/dev/null &&
            ask '/api/v1/namespaces/default/pods?dryRun=All' -o /dev/null -H 'Content-Type: application/json' -d \
                '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"probe"},"spec":{"containers":[{"name":"c","image":"none"}]}}'
    else
        ask /api/v1/namespaces/default >/dev/null
    fi
}

# wait_for SECONDS PART FUNCTION: until FUNCTION succeeds; fails early when PART has ended
wait_for() {
    local deadline=$((SECONDS + $1)) part=$2 probe=$3 output=''
    until output=$("$probe" 2>&1); do
        pid_of "$dir" "$part" >/dev/null || return 1
        if ((SECONDS >= deadline)); then
            say "$output"
            return 1
        fi
        sleep 0.1
    done
}

# give_up_unless_started: shows why a start failed, ends what was started, removes what was made
give_up_unless_started() {
    local part
    # shellcheck disable=SC2154 # wm_leave sets status
    [[ -z $started ]] || return 0
    for part in etcd apiserver controller-manager; do
        ((status < 128)) || break # stopped by a signal: no need to explain
        [[ ! -s $dir/$part.log ]] || { say "the end of $part.log:" && tail -n 15 "$dir/$part.log" | sed 's/^/    /' >&2; }
    done
    take_down
}

# take_down: ends the loaded cluster (kube-apiserver before etcd, or it would wait for etcd) and removes its folder
take_down() {
    local real beside
    # What the demo and others started beside it, in folders of their own.
    for beside in "$dir"/*/; do
        [[ ! -d $beside ]] || end_everything "$beside"
    done
    end_processes "$dir" controller-manager apiserver
    end_processes "$dir" etcd
    real=$(readlink -f "$dir")
    rm -rf "$real"
    [[ ! -L $dir ]] || rm -f "$dir"
}

# services_prefix NAME: prints 127.N.M, free of any API server's services on this machine. Call it under the lock.
services_prefix() {
    local sum n m prefix used
    used=$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | sed -n 's/^--service-cluster-ip-range=\([0-9.]*\)\.0\/.*/\1/p')
    used+=$'\n'$(sed -n 's/^SERVICES=//p' "$CLUSTERS"/*/cluster.env 2>/dev/null || true)
    read -r sum _ < <(cksum <<<"$1 $UID")
    for ((;; sum++)); do
        n=$((sum % 253 + 2)) m=$((sum / 253 % 256)) # never 127.0 and 127.1, where other programs like to listen
        prefix=127.$n.$m
        grep -qxF "$prefix" <<<"$used" || break
    done
    printf '%s\n' "$prefix"
}

up() {
    local name='' port='' at='' CONTROLLER_MANAGER=1
    local -a api_args=() manager_args=() etcd_args=()
    while (($#)); do
        case $1 in
            --name)
                name=$(option_value "$@")
                shift
                ;;
            --name=*) name=${1#*=} ;;
            --port)
                port=$(option_value "$@")
                shift
                ;;
            --port=*) port=${1#*=} ;;
            --dir)
                at=$(option_value "$@")
                shift
                ;;
            --dir=*) at=${1#*=} ;;
            --no-controller-manager) CONTROLLER_MANAGER='' ;;
            --apiserver-arg=*) api_args+=("${1#*=}") ;;
            --controller-manager-arg=*) manager_args+=("${1#*=}") ;;
            --etcd-arg=*) etcd_args+=("${1#*=}") ;;
            -*) die "cluster up knows no option $1; see ./dev cluster --help" ;;
            *)
                [[ -z $name ]] || die "one cluster at a time: $name or $1?"
                name=$1
                ;;
        esac
        shift
    done
    name=${name:-waymark}
    [[ $name =~ ^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$ ]] ||
        die "a cluster's name is at most 40 of a-z, 0-9 and -, with neither end a -: $name"
    [[ -z $port || $port =~ ^[0-9]{1,5}$ ]] || die "$port is no port"

    need cluster
    find_programs

    exec 9>"$CLUSTERS/.$name.lock"
    flock -n 9 || die "somebody else is starting or ending cluster $name"
    dir=$CLUSTERS/$name
    if load "$name"; then
        [[ -z $port || $port == "$PORT" ]] || die "cluster $name runs already, on port $PORT"
        api_ready 2>/dev/null || die "cluster $name is there and does not answer; ./dev cluster status, or end it with ./dev cluster down $name"
        note "cluster $name runs already at $URL"
        printf 'export KUBECONFIG=%q\n' "$dir/kubeconfig"
        return
    fi

    local began services etcd_port peer_port manager_port
    began=$(now_ms)
    rm -rf "$dir" # what a start that was killed left, or a link to what is gone
    if [[ -n $at ]]; then
        mkdir -p "$at"
        at=$(readlink -f "$at")
        [[ -z $(ls -A "$at") ]] || die "$at is not empty"
        chmod 700 "$at"
        ln -s "$at" "$dir"
    else
        mkdir -m 700 "$dir"
    fi
    mkdir -m 700 "$dir/pki"
    started=''
    at_exit give_up_unless_started

    # Ports and addresses are chosen and written down under one lock for all clusters of this user.
    exec 8>"$CLUSTERS/.choice.lock"
    flock 8
    port=${port:-$(free_port)} etcd_port=$(free_port) peer_port=$(free_port) manager_port=$(free_port)
    services=$(services_prefix "$name")
    cat >"$dir/cluster.env" <<END
NAME=$name
URL=https://127.0.0.1:$port
PORT=$port
SERVICES=$services
ETCD=http://127.0.0.1:$etcd_port
CONTROLLER_MANAGER=$CONTROLLER_MANAGER
END
    exec 8>&-
    load "$name"

    make_credentials "$services.1"
    spawn "$dir" etcd "$ETCD_PROGRAM" --name "$name" --data-dir "$dir/etcd" --unsafe-no-fsync \
        --listen-client-urls "$ETCD" --advertise-client-urls "$ETCD" \
        --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
        --initial-cluster "$name=http://127.0.0.1:$peer_port" --log-level warn "${etcd_args[@]}"
    spawn "$dir" apiserver "$APISERVER" --etcd-servers="$ETCD" --secure-port="$port" --bind-address=127.0.0.1 \
        --advertise-address=127.0.0.1 --endpoint-reconciler-type=none --cert-dir="$dir/pki" \
        --tls-cert-file="$dir/pki/apiserver.crt" --tls-private-key-file="$dir/pki/apiserver.key" \
        --client-ca-file="$dir/pki/ca.crt" --token-auth-file="$dir/pki/tokens.csv" --authorization-mode=Node,RBAC \
        --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$dir/pki/sa.pub" \
        --service-account-signing-key-file="$dir/pki/sa.key" --service-cluster-ip-range="$services.0/24" \
        --allow-privileged=true --max-requests-inflight=800 --max-mutating-requests-inflight=400 --event-ttl=1h \
        --profiling=false "${api_args[@]}"
    wait_for 60 apiserver api_ready || die "the API server of cluster $name did not become ready"

    if [[ -n $CONTROLLER_MANAGER ]]; then
        # Older ones also open a plain port for everybody to see, at a fixed number.
        [[ $("$MANAGER" --help 2>/dev/null) != *' --port int '* ]] || manager_args=(--port=0 "${manager_args[@]}")
        spawn "$dir" controller-manager "$MANAGER" --kubeconfig="$dir/pki/controller-manager.kubeconfig" \
            --leader-elect=false --bind-address=127.0.0.1 --secure-port="$manager_port" --cert-dir="$dir/pki" \
            --use-service-account-credentials=true --service-account-private-key-file="$dir/pki/sa.key" \
            --root-ca-file="$dir/pki/ca.crt" --cluster-signing-cert-file="$dir/pki/ca.crt" \
            --cluster-signing-key-file="$dir/pki/ca.key" --profiling=false --kube-api-qps=200 --kube-api-burst=400 \
            "${manager_args[@]}"
    fi
    local last=apiserver
    [[ -z $CONTROLLER_MANAGER ]] || last=controller-manager
    wait_for 60 "$last" namespace_ready ||
        die "namespace default of cluster $name did not become ready"
    started=1
    note "cluster $name is ready at $URL after $(seconds_since "$began") s; services in $services.0/24"
    printf 'export KUBECONFIG=%q\n' "$dir/kubeconfig"
}

# find_programs: sets ETCD_PROGRAM, APISERVER and MANAGER
find_programs() {
    local path
    ETCD_PROGRAM=$(find_program etcd) || die "there is no etcd"
    # An API server that somebody brought is not given a controller manager of another version.
    if path=$(find_program kube-apiserver) && [[ $path != "$WM_CACHE"/* ]] && [[ -n $CONTROLLER_MANAGER ]]; then
        if ! MANAGER=$(find_program kube-controller-manager) || [[ $(minor "$path") != "$(minor "$MANAGER")" ]]; then
            warn "no kube-controller-manager of $("$path" --version) is at hand: this cluster goes without one"
            CONTROLLER_MANAGER=''
        fi
    fi
    [[ -n $path && -z $CONTROLLER_MANAGER ]] || bash "$WM_ROOT/tests/cluster/assets.sh" >/dev/null
    APISERVER=$(find_program kube-apiserver)
    [[ -z $CONTROLLER_MANAGER ]] || MANAGER=$(find_program kube-controller-manager)
}

minor() { "$1" --version | grep -oE 'v[0-9]+\.[0-9]+'; }

# make_credentials SERVICE_IP: certificates, tokens and kubeconfigs of the loaded cluster
make_credentials() {
    local pki=$dir/pki admin manager
    new_ca "$pki/ca" "waymark-$NAME"
    new_certificate "$pki/ca" "$pki/apiserver" /CN=kube-apiserver IP:127.0.0.1 "IP:$1" DNS:localhost DNS:kubernetes \
        DNS:kubernetes.default DNS:kubernetes.default.svc DNS:kubernetes.default.svc.cluster.local
    openssl ecparam -name prime256v1 -genkey -noout -out "$pki/sa.key"
    openssl ec -in "$pki/sa.key" -pubout -out "$pki/sa.pub" 2>/dev/null
    admin=$(openssl rand -hex 24) manager=$(openssl rand -hex 24)
    (
        umask 077
        printf '%s,%s,%s,"%s"\n' "$admin" admin admin system:masters >"$pki/tokens.csv"
        printf '%s,%s,%s\n' "$manager" system:kube-controller-manager controller-manager >>"$pki/tokens.csv"
        printf 'Authorization: Bearer %s\n' "$admin" >"$pki/admin.header"
        write_kubeconfig "$dir/kubeconfig" "$NAME-admin" "$admin"
        write_kubeconfig "$pki/controller-manager.kubeconfig" controller-manager "$manager"
    )
}

# write_kubeconfig FILE USER TOKEN
write_kubeconfig() {
    cat >"$1" <<END
apiVersion: v1
kind: Config
current-context: $NAME
clusters:
- name: $NAME
  cluster:
    server: $URL
    certificate-authority-data: $(base64 -w0 "$dir/pki/ca.crt")
users:
- name: $2
  user:
    token: $3
contexts:
- name: $NAME
  context:
    cluster: $NAME
    user: $2
END
}

cluster_names() {
    local file
    for file in "$CLUSTERS"/*/cluster.env; do
        [[ ! -e $file ]] || basename "$(dirname "$file")"
    done
}

down() {
    local name
    local -a names=()
    while (($#)); do
        case $1 in
            --all) mapfile -t names < <(cluster_names) ;;
            --name)
                names+=("$(option_value "$@")")
                shift
                ;;
            --name=*) names+=("${1#*=}") ;;
            -*) die "cluster down knows no option $1; see ./dev cluster --help" ;;
            *) names+=("$1") ;;
        esac
        shift
        [[ ${#names[@]} -gt 0 ]] || exit 0 # --all of none
    done
    for name in "${names[@]:-waymark}"; do
        must_load "$name"
        exec 9>"$CLUSTERS/.$name.lock"
        flock -w 90 9 || die "somebody else is starting or ending cluster $name"
        ! load "$name" || take_down
        rm -f "$CLUSTERS/.$name.lock"
        exec 9>&-
        note "cluster $name is down"
    done
}

status() {
    local name part pid pids ready up all_ready=0
    local -a names=() named=()
    while (($#)); do
        case $1 in
            --name)
                names+=("$(option_value "$@")")
                shift
                ;;
            --name=*) names+=("${1#*=}") ;;
            -*) die "cluster status knows no option $1; see ./dev cluster --help" ;;
            *) names+=("$1") ;;
        esac
        shift
    done
    named=("${names[@]}")
    ((${#names[@]})) || mapfile -t names < <(cluster_names)
    if ((${#names[@]} == 0)); then
        say 'no cluster is up'
        return
    fi
    printf '%-20s %-6s %8s  %-24s %-58s %s\n' NAME READY UPTIME URL PIDS KUBECONFIG
    for name in "${names[@]}"; do
        must_load "$name"
        pids=''
        for part in etcd apiserver controller-manager; do
            [[ $part != controller-manager || -n $CONTROLLER_MANAGER ]] || continue
            pid=$(pid_of "$dir" "$part") || pid=gone
            pids+="${pids:+ }$part=$pid"
        done
        up=$(uptime_of "$dir" apiserver) || up=0
        ready=no
        if [[ $pids != *=gone* ]] && api_ready 2>/dev/null; then
            ready=yes
        else
            all_ready=1
        fi
        printf '%-20s %-6s %7ds  %-24s %-58s %s\n' "$name" "$ready" "$up" "$URL" "$pids" "$dir/kubeconfig"
    done
    ((${#named[@]} == 0)) || return "$all_ready"
}

# after_start PART: until the cluster answers again
after_start() {
    [[ $1 == controller-manager ]] || wait_for 60 apiserver api_ready || die "cluster $NAME did not become ready; see $dir/$1.log"
}

command=${1:-help}
shift $(($# > 0))
case $command in
    -h | --help | help)
        usage "$0"
        exit
        ;;
    assets | node) exec bash "$WM_ROOT/tests/cluster/$command.sh" "$@" ;;
esac
[[ " $* " != *' --help '* && " $* " != *' -h '* ]] || {
    usage "$0"
    exit
}
case $command in
    up | down | status) "$command" "$@" ;;
    env)
        must_load "${1:-waymark}"
        cat "$dir/cluster.env"
        printf 'DIR=%q\nKUBECONFIG=%q\n' "$dir" "$dir/kubeconfig"
        ;;
    stop | start | restart | pause | resume)
        (($#)) || die "$command which cluster?"
        must_load "$1"
        part=$(part_name "${2:-}")
        case $command in
            stop) GRACE=2 end_processes "$dir" "$part" ;;
            start)
                respawn "$dir" "$part"
                after_start "$part"
                ;;
            restart)
                GRACE=2 end_processes "$dir" "$part"
                respawn "$dir" "$part"
                after_start "$part"
                ;;
            pause) signal_process "$dir" "$part" STOP || die "$part of $1 does not run" ;;
            resume) signal_process "$dir" "$part" CONT || die "$part of $1 does not run" ;;
        esac
        ;;
    *) die "cluster knows no command $command; see ./dev cluster --help" ;;
esac

#!/usr/bin/env bash
# Runs both programs on this machine for any cluster that a kubeconfig reaches: the webhook, registered there by URL,
# and the aggregator.
# Usage: ./dev run [--kubeconfig FILE] [--context NAME] [--remote NAME=FILE ...] [OPTIONS] [-- WEBHOOK_FLAG...]
#
#   --kubeconfig          how to reach the cluster (as kubectl: $KUBECONFIG, ~/.kube/config)
#   --context             context in it (its current one)
#   --remote              kubeconfig of another cluster, under the name of its MigCluster; may be given again. What is not
#                         given here is reached as its MigCluster says
#   --address             where the cluster's API server reaches this machine (127.0.0.1: a cluster on this machine)
#   --port                and at which port (a free one)
#   --without-webhook     only the aggregator
#   --without-aggregator  only the webhook
#
# Shows both logs until Ctrl-C, and then ends what it started. What the programs may do there is what the kubeconfig may.
#
# The webhook gets certificates made on the spot, and a MutatingWebhookConfiguration of its own, which goes with it.
# WEBHOOK_FLAGs go to waymark-webhook serve.
#
# The aggregator writes MigrationReports, and into MigMigrations two conditions and an annotation; these stay, and so does
# the definition of MigrationReports, which is installed when it is missing. Where the cluster has an aggregator of its own,
# this one stands by, and writes only while that one does not.
set -euo pipefail
# shellcheck source=tests/dev/aggregator.sh
source "$(dirname "${BASH_SOURCE[0]}")/aggregator.sh"
# shellcheck source=tests/cluster/pki.sh
source "$WM_ROOT/tests/cluster/pki.sh"

kubeconfig='' context='' address=127.0.0.1 port='' remotes='' parts=(webhook aggregator)
# keep_only PART: the others are not run
keep_only() {
    [[ " ${parts[*]} " == *" $1 "* ]] || die 'with neither the webhook nor the aggregator there is nothing to run'
    parts=("$1")
}
# add_remote NAME=FILE
add_remote() {
    [[ $1 == ?*=?* ]] || die "--remote $1: NAME=FILE is expected"
    [[ -r ${1#*=} ]] || die "--remote $1: cannot read ${1#*=}"
    remotes+=${remotes:+,}$1
}
while (($#)); do
    case $1 in
        --kubeconfig | --context | --address | --port)
            printf -v "${1#--}" '%s' "$(option_value "$@")"
            shift
            ;;
        --kubeconfig=* | --context=* | --address=* | --port=*)
            option=${1%%=*}
            printf -v "${option#--}" '%s' "${1#*=}"
            ;;
        --remote)
            add_remote "$(option_value "$@")"
            shift
            ;;
        --remote=*) add_remote "${1#*=}" ;;
        --without-webhook) keep_only aggregator ;;
        --without-aggregator) keep_only webhook ;;
        -h | --help)
            usage "$0"
            exit
            ;;
        --)
            shift
            break
            ;;
        *) die "run knows no option $1; see ./dev run --help" ;;
    esac
    shift
done
need build,cluster
for part in "${parts[@]}"; do
    bash "$WM_ROOT/tests/dev/build.sh" --preset release --target "waymark-$part"
done

dir=$(mktemp -d "${TMPDIR:-/tmp}/waymark-run-XXXXXX")
name=waymark-run-$(hostname -s | tr -cd 'a-z0-9-')-$$
[[ -z $kubeconfig ]] || export KUBECONFIG=$kubeconfig
kubectl() { command kubectl --cache-dir "$dir/cache" ${context:+--context "$context"} "$@"; }
registered='' logs=()
# shellcheck disable=SC2317 # called at exit
tear_down() {
    ((${#logs[@]} == 0)) || kill "${logs[@]}" 2>/dev/null || true
    if [[ -n $registered ]]; then
        kubectl delete mutatingwebhookconfiguration "$name" --ignore-not-found >/dev/null &&
            say "Unregistered $name."
    fi
    end_all_processes "$dir"
    rm -rf "$dir"
}
at_exit tear_down

# How both programs reach the cluster.
access=()
[[ -z $kubeconfig ]] || access+=(--kubeconfig "$kubeconfig")
[[ -z $context ]] || access+=(--context "$context")

# await_ready PART PROBE
await_ready() {
    eventually 10 "$2" >/dev/null || {
        tail -n 20 "$dir/$1.log" >&2
        die "the $1 did not become ready"
    }
}

webhook_health_port=''
# shellcheck disable=SC2317 # called by eventually
webhook_ready() { curl -sS --fail --noproxy '*' --max-time 2 "http://127.0.0.1:$webhook_health_port/readyz"; }

# run_webhook [FLAG...]
run_webhook() {
    local kind=DNS listen=$address host=$address
    [[ -n $port ]] || port=$(free_port)
    webhook_health_port=$(free_port)
    mkdir "$dir/tls"
    [[ ! $address =~ ^[0-9.]+$|: ]] || kind=IP
    new_ca "$dir/ca" waymark-run
    new_certificate "$dir/ca" "$dir/tls/tls" "/CN=waymark-run" "$kind:$address"
    [[ $kind == IP ]] || listen=0.0.0.0
    [[ $listen != *:* ]] || listen=[$listen]
    [[ $host != *:* ]] || host=[$host]
    spawn "$dir" webhook "$WM_BUILD/release/webhook/waymark-webhook" serve --listen "$listen:$port" \
        --health-listen "127.0.0.1:$webhook_health_port" --tls-mode files --tls-dir "$dir/tls" --drain-s 0 \
        "${access[@]}" "$@"
    await_ready webhook webhook_ready
    # The registration that an operator would apply, with a URL in place of the Service.
    registered=1
    kubectl create --dry-run=client -o json -f "$WM_ROOT/manifests/base/webhook.yaml" |
        jq --arg name "$name" --arg url "https://$host:$port/mutate" --arg ca "$(base64 -w0 "$dir/ca.crt")" '
            .metadata.name = $name | .webhooks[].clientConfig = {url: $url, caBundle: $ca}' |
        kubectl create -f - >/dev/null
    say "Registered $name at https://$host:$port/mutate; health and metrics at http://127.0.0.1:$webhook_health_port."
}

# install_reports: the definition of MigrationReports, where it is missing
install_reports() {
    local definition=migrationreports.waymark.io
    [[ -z $(kubectl get crd "$definition" --ignore-not-found -o name) ]] || return 0
    kubectl create -f "$WM_ROOT/manifests/base/migrationreport-crd.yaml" >/dev/null ||
        die 'MigrationReports cannot be installed; --without-aggregator does without'
    kubectl wait --for=condition=Established --timeout=30s crd "$definition" >/dev/null
    say "Installed the definition $definition, which was missing; it stays. To remove it: kubectl delete crd $definition"
}

run_aggregator() {
    local flags=("${access[@]}") namespace=waymark lease=waymark-aggregator
    [[ -z $remotes ]] || flags+=(--remotes "$remotes")
    install_reports
    if [[ -n $(kubectl get lease "$lease" -n "$namespace" --ignore-not-found -o name) ]]; then
        say "Lease $namespace/$lease is there: while an aggregator of the cluster holds it, this one only watches."
        flags+=(--namespace "$namespace" --lease "$lease")
    else
        flags+=(--leader-election=false)
    fi
    start_aggregator "$dir" aggregator "${flags[@]}"
    await_ready aggregator aggregator_ready
    say "Watching migrations; health and metrics at http://127.0.0.1:$AGGREGATOR_HEALTH_PORT."
}

kubectl get --raw /readyz >/dev/null || die 'the cluster does not answer; see --kubeconfig and --context'
for part in "${parts[@]}"; do
    case $part in
        webhook) run_webhook "$@" ;;
        aggregator) run_aggregator ;;
    esac
done
say 'Ctrl-C ends it.'
for part in "${parts[@]}"; do
    tail -n +1 -F "$dir/$part.log" > >(sed -u "s/^/$part: /") 2>/dev/null &
    logs+=("$!")
done
while :; do
    for part in "${parts[@]}"; do
        pid_of "$dir" "$part" >/dev/null || die "the $part has ended"
    done
    sleep 1 & wait $!
done

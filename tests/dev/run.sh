#!/usr/bin/env bash
# Runs the webhook on this machine for any cluster that a kubeconfig reaches, registered there by URL.
# Usage: ./dev run [--kubeconfig FILE] [--context NAME] [--address ADDRESS] [--port PORT] [-- WEBHOOK_FLAG...]
#
#   --kubeconfig   how to reach the cluster (as kubectl: $KUBECONFIG, ~/.kube/config)
#   --context      context in it (its current one)
#   --address      where the cluster's API server reaches this machine (127.0.0.1: a cluster on this machine)
#   --port         and at which port (a free one)
#
# Makes certificates on the spot, registers a MutatingWebhookConfiguration of its own, shows the webhook's log until
# Ctrl-C, and then unregisters it. Nothing else is written to the cluster. What the webhook reads there it reads with the
# rights of the kubeconfig. WEBHOOK_FLAGs go to waymark-webhook serve.
set -euo pipefail
# shellcheck source=tests/dev/kube.sh
source "$(dirname "${BASH_SOURCE[0]}")/kube.sh"
# shellcheck source=tests/dev/process.sh
source "$WM_ROOT/tests/dev/process.sh"
# shellcheck source=tests/cluster/pki.sh
source "$WM_ROOT/tests/cluster/pki.sh"

kubeconfig='' context='' address=127.0.0.1 port=''
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
bash "$WM_ROOT/tests/dev/build.sh" --preset release --target waymark-webhook

dir=$(mktemp -d "${TMPDIR:-/tmp}/waymark-run-XXXXXX")
name=waymark-run-$(hostname -s | tr -cd 'a-z0-9-')-$$
[[ -z $kubeconfig ]] || export KUBECONFIG=$kubeconfig
kubectl() { command kubectl --cache-dir "$dir/cache" ${context:+--context "$context"} "$@"; }
registered='' log=''
# shellcheck disable=SC2317 # called at exit
tear_down() {
    [[ -z $log ]] || kill "$log" 2>/dev/null || true
    if [[ -n $registered ]]; then
        kubectl delete mutatingwebhookconfiguration "$name" --ignore-not-found >/dev/null &&
            say "Unregistered $name."
    fi
    end_all_processes "$dir"
    rm -rf "$dir"
}
at_exit tear_down

kubectl get --raw /readyz >/dev/null || die 'the cluster does not answer; see --kubeconfig and --context'
[[ -n $port ]] || port=$(free_port)
health_port=$(free_port)
mkdir "$dir/tls"
kind=DNS
[[ ! $address =~ ^[0-9.]+$|: ]] || kind=IP
new_ca "$dir/ca" waymark-run
new_certificate "$dir/ca" "$dir/tls/tls" "/CN=waymark-run" "$kind:$address"
listen=$address
[[ $kind == IP ]] || listen=0.0.0.0
[[ $listen != *:* ]] || listen=[$listen]
host=$address
[[ $host != *:* ]] || host=[$host]
flags=(--listen "$listen:$port" --health-listen "127.0.0.1:$health_port" --tls-mode files --tls-dir "$dir/tls" --drain-s 0)
[[ -z $kubeconfig ]] || flags+=(--kubeconfig "$kubeconfig")
[[ -z $context ]] || flags+=(--context "$context")
spawn "$dir" webhook "$WM_BUILD/release/webhook/waymark-webhook" serve "${flags[@]}" "$@"
# shellcheck disable=SC2317 # called by eventually
ready() { curl -sS --fail --noproxy '*' --max-time 2 "http://127.0.0.1:$health_port/readyz"; }
eventually 10 ready >/dev/null || {
    tail -n 20 "$dir/webhook.log" >&2
    die 'the webhook did not become ready'
}

# The registration that an operator would apply, with a URL in place of the Service.
registered=1
kubectl create --dry-run=client -o json -f "$WM_ROOT/manifests/base/webhook.yaml" |
    jq --arg name "$name" --arg url "https://$host:$port/mutate" --arg ca "$(base64 -w0 "$dir/ca.crt")" '
        .metadata.name = $name | .webhooks[].clientConfig = {url: $url, caBundle: $ca}' |
    kubectl create -f - >/dev/null
say "Registered $name at https://$host:$port/mutate; health and metrics at http://127.0.0.1:$health_port. Ctrl-C ends it."
tail -n +1 -F "$dir/webhook.log" &
log=$!
while pid_of "$dir" webhook >/dev/null; do sleep 1 & wait $!; done
die 'the webhook has ended'

#!/usr/bin/env bash
# A cluster with the webhook running beside it, to try things on.
# Usage: ./dev run [--name NAME] [--without-webhook] [-- WEBHOOK_FLAG...]
#
#   --name              the cluster's name (run)
#   --without-webhook   only the cluster and the kinds
#
# Shows the webhook's log until Ctrl-C, then ends everything. In another terminal: export KUBECONFIG as it says.
set -euo pipefail
# shellcheck source=tests/dev/webhook.sh
source "$(dirname "${BASH_SOURCE[0]}")/webhook.sh"

name=run with_webhook=1
while (($#)); do
    case $1 in
        --name)
            name=$(option_value "$@")
            shift
            ;;
        --name=*) name=${1#*=} ;;
        --without-webhook) with_webhook='' ;;
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
need cluster
[[ -z $with_webhook ]] || bash "$WM_ROOT/tests/dev/build.sh" --preset release --target waymark-webhook

cluster() { bash "$WM_ROOT/tests/cluster/cluster.sh" "$@"; }
! cluster env "$name" >/dev/null 2>&1 || die "cluster $name runs already; choose another --name, or end it with ./dev cluster down $name"
dir=''
# shellcheck disable=SC2317 # called at exit
tear_down() {
    [[ -z $dir ]] || end_all_processes "$dir/extra"
    cluster down "$name" 2>/dev/null || true
}
at_exit tear_down
exports=$(cluster up "$name")
eval "$exports"
dir=$(dirname "$KUBECONFIG")
mkdir "$dir/extra"
apply_crds "$WM_ROOT/tests/crds"
[[ -z $with_webhook ]] || webhook_up "$dir/extra" "$name" "$@"
printf 'export KUBECONFIG=%q\n' "$KUBECONFIG"
say 'Ready. Ctrl-C ends it.'
log=$dir/extra/webhook.log
[[ -n $with_webhook ]] || log=$dir/apiserver.log
tail -n +1 -F "$log" >&2 &
at_exit "kill $!" # before the log goes
wait $!

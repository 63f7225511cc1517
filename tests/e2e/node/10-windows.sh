# shellcheck shell=bash disable=SC2016,SC2034,SC2119,SC2154
# How long nobody answers while providers restart, with real pods: what is measured from outside, and what the aggregator
# reports.
# shellcheck source=tests/e2e/node.sh
source "$WM_ROOT/tests/e2e/node.sh"

case_begin() {
    # Whatever keeps a node from starting is the machine's, and no test's.
    if ! cluster node up "$PROVIDERS" 2>"$E2E_CASE_DIR/cannot"; then
        cat "$E2E_CASE_DIR/cannot" >&2
        return 0
    fi
    rm "$E2E_CASE_DIR/cannot"
    apply_crds "$WM_ROOT/manifests/base/migrationreport-crd.yaml"
    kubectl create namespace openshift-migration >/dev/null
    kubectl create namespace "$NS" >/dev/null
    providers
    # Before the providers, whose first start must not be among what it counts.
    start_aggregator "$E2E_CASE_DIR" aggregator --kubeconfig "$KUBECONFIG" --namespace openshift-migration --leader-election=false
    eventually 20 aggregator_ready
    provider_made vs vsphere "$NODE_IMAGE"
    STRATEGY=Recreate provider_made lv libvirt "$NODE_IMAGE"
    eventually 120 settled 1 vs lv
}
case_end() { [[ -e $E2E_CASE_DIR/cannot ]] || cluster node down "$PROVIDERS"; }
# why_not: the error among what was said
why_not() { grep -m 1 '^error: ' "$E2E_CASE_DIR/cannot" || tail -n 1 "$E2E_CASE_DIR/cannot"; }

# begin: for the beginning of each test
begin() {
    [[ ! -e $E2E_CASE_DIR/cannot ]] || skip "$(why_not)"
    providers
}

# rolls WHAT REVISION: puts the PVCs that there are into all providers, and waits until they run with these alone
rolls() {
    local began
    began=$(now_ms)
    roll
    eventually 120 settled "$2" vs lv
    say "$1: rolled in $(seconds_since "$began") s"
}
# migrated: web, whose PVC comes and goes again, while another migration copies through the same providers
migrated() {
    vm_migration other '{"storage": {"type": "nfs", "nfs": {"server": "nfs.example.com", "export": "/vms"}}}'
    vm_begins other
    vm_exports other
    vm_migration web
    vm_begins web
    node_volume web-storage
    vm_claim web
    vm_waits web
    rolls 'the PVC was made' 2
    copied web
    vm_deleted web
    rolls 'the PVC was deleted' 3
    eventually 30 gone persistentvolumeclaims web-storage
}

both_answer() { (($(grep -c ' up ' "$MEASURED") == 2)); }
# a PVC that comes and goes rolls all providers: without a gap by RollingUpdate, with half a minute of it by Recreate
test_measured() {
    begin
    node_measure &
    eventually 20 both_answer
    migrated
    assert_eq '[]' "$(gaps_of vs)" 'gaps by RollingUpdate'
    say "gaps by Recreate, in ms: $(gaps_of lv | jq -c 'map(.to - .from)'), late by $(gaps_of lv | jq -c 'map(.late)') s"
    # 15 s of preStop, and the next pod is asked whether it is ready after 5 s at the earliest. How much longer it takes is the
    # machine's.
    holds "$(gaps_of lv)" 'length == 2 and all(.[]; .to - .from + .late[0] * 1000 > 20000)'
}

# restarts_of PROVIDER: those that the other migration has seen, the first one first
restarts_of() {
    see migrationreports other.vm | jq -c --arg p "$1" '[.status.restarts[]? | select(.provider == $p)] | sort_by(.started)'
}
told_all() {
    local provider
    for provider in vs lv; do
        holds "$(restarts_of "$provider")" 'map([.kind, .cause, .state, .culprits[0].migration]) ==
            [["rollout", "pvc-created", "finished", "web"], ["rollout", "pvc-deleted", "finished", "web"]]' || return
    done
}
# the aggregator reports these restarts with their culprit, and their gaps to the second
test_reported() {
    begin
    [[ -s $MEASURED ]] || fail 'nothing was measured'
    eventually 20 told_all
    holds "$(restarts_of vs)" 'all(.[]; (.unavailableSeconds // 0) == 0)'
    say "reported by Recreate: $(restarts_of lv | jq -c 'map({unavailableFrom, unavailableTo, unavailableSeconds, class})')"
    # Objects have times in whole seconds, cut off; so has the measure then. The watch tells of each end a moment later: as long as
    # that is within a second, an end falls into the second that the object says or into the next, and the two windows differ by
    # at most one. Where a busy machine told later, the measured window is longer by what its end was late, and shorter by what its
    # beginning was.
    holds "$(restarts_of lv)" '[., $gaps] | transpose | all(.[]; .[1].late as [$begun, $ended] |
        ((.[1].to / 1000 | floor) - (.[1].from / 1000 | floor)) - (.[0].unavailableSeconds // -99) |
        . >= -1 - $begun and . <= 1 + $ended)' --argjson gaps "$(gaps_of lv)"
    eventually 10 measures waymark_provider_unavailable_seconds_total lv == \
        "$(restarts_of lv | jq 'map(.unavailableSeconds) | add')"
    eventually 10 measures waymark_provider_unavailable_seconds_total vs == 0
}

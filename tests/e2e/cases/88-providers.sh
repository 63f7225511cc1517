# shellcheck shell=bash disable=SC2016,SC2119
# Restarts of VirtRigaud's providers, by the real controllers of Kubernetes: what an operator is told of each, on the
# VMMigration, in its MigrationReport, in Events and in metrics. Here: the PVC of a migration is mounted by all providers of the
# namespace, at once, with a gap, or not at all.
# shellcheck source=tests/e2e/providers.sh
source "$WM_ROOT/tests/e2e/providers.sh"

case_begin() { providers_up; }

# everything that a migration does to its providers, from none noticing it to none getting up
test_mounting() {
    providers
    side_by_side clean recreated outage pending multi_attach overwritten misled
}

# clean: all three are rolled when the PVC is made, and again when it is deleted, and serve all the time
clean() {
    local name down
    three_providers
    eventually 20 measures waymark_provider_rollouts_in_progress px == 0
    down=$(measured waymark_provider_unavailable_seconds_total px) # until it was up for the first time
    volume web-storage
    vm_migration web
    mounting web
    eventually 20 reported web '.phase == "Validating" and .mountWait.since'
    eventually 20 measures waymark_vm_mount_wait_seconds web '>=' 0
    replaced vs lv px
    assert_eq '1: 2:web-storage' "$(revisions px)" 'revisions of px'
    copied web
    eventually 20 reported web '.outcome == "succeeded"'
    for name in vs/source lv/target px/collateral; do
        eventually 20 restarted web "${name%/*}" pvc-created '.kind == "rollout" and .state == "finished" and .fromRevision == 1 and
            .toRevision == 2 and .unavailableSeconds == 0 and .class == "NoGap" and [.culprits[] |
            "\(.migration) \(.claim) \(.role)"] == ["web web-storage \($role)"]' --arg role "${name#*/}"
    done
    eventually 90 says web ProviderRestarts NoGap web-storage
    eventually 90 says web MigrationOutcome Succeeded
    says_status web MigrationProgress False || fail 'it is still said to run'
    no_condition web MigrationStalled || fail 'it is said to be stalled'
    eventually 20 measures waymark_provider_restarts_total px == 1 'kind="rollout"'
    eventually 20 measures waymark_provider_rollouts_in_progress px == 0
    eventually 20 told Provider px ProviderRestarted web-storage
    eventually 20 told VMMigration web ProviderRestarted 'no part in web'
    described
    deleted_again
}
# described: the same by kubectl, as an operator asks
described() {
    local text
    text=$(kubectl describe vmmigration web -n "$NS")
    assert_contains 'waymark.io/verdict: Succeeded' "$text" verdict
    assert_contains 'no moment without a ready pod' "$text" ProviderRestarts
    assert_contains ProviderRestarted "$text" Events
    assert_contains web.vm "$(kubectl get migrationreports -n "$NS")" reports
}
deleted_again() { # sees $down
    vm_deleted web
    roll
    eventually 20 measures waymark_provider_rollouts_in_progress px == 1
    replaced vs lv px
    assert_eq '2:web-storage 3:' "$(revisions px)" 'the ReplicaSet that was there is used again'
    eventually 20 gone persistentvolumeclaims web-storage
    eventually 20 gone vmmigrations web
    eventually 20 measures waymark_provider_restarts_total px == 2 'kind="rollout"'
    assert_eq "$down" "$(measured waymark_provider_unavailable_seconds_total px)" 'seconds without a ready pod of px'
    eventually 20 told Provider px ProviderRestarted deleted
}

# went PROVIDER: when the first of its old pods was told to end; came PROVIDER: when its new one was ready, and its Service led there
went() { pods_of "$1" '$going' | jq -s 'map(.metadata | (.deletionTimestamp | fromdate) - .deletionGracePeriodSeconds) | min'; }
came() {
    pods_of "$1" '$new' | jq --argjson called "$(called_since "$1")" '.status.conditions[] |
        select(.type == "Ready" and .status == "True") | [$called, (.lastTransitionTime | fromdate)] | max'
}
# class_of SECONDS: as PROVIDERS_SETTINGS have it
class_of() {
    if (($1 <= 2)); then
        printf 'Typical\n'
    elif (($1 <= 7)); then
        printf 'WithinWorstCase\n'
    elif (($1 <= 12)); then
        printf 'BeyondWorstCase\n'
    else
        printf 'Unavailable\n'
    fi
}

# gap SECONDS [COMMAND...]: a provider whose strategy is Recreate is away at least so long while web's PVC comes; COMMAND is run when
# that time is over
gap() {
    local began ended gap down
    STRATEGY=Recreate provider vs vsphere
    provider lv libvirt
    eventually 20 measures waymark_provider_rollouts_in_progress lv == 0
    down=$(measured waymark_provider_unavailable_seconds_total vs)
    volume web-storage
    vm_migration web
    mounting web
    eventually 20 leaving vs
    began=$(went vs)
    sleep "$1"
    "${@:2}"
    ended vs
    eventually 20 serves vs n1
    eventually 20 called vs
    ended=$(came vs) gap=$((ended - began))
    replaced lv
    copied web
    eventually 20 restarted web vs pvc-created '.state == "finished" and .unavailableSeconds == $gap and .class == $class and
        (.unavailableFrom | fromdate) == $from' --argjson gap "$gap" --argjson from "$began" --arg class "$(class_of "$gap")"
    restarted web lv pvc-created '.class == "NoGap"' || fail 'lv has a gap'
    eventually 90 says web ProviderRestarts "$(class_of "$gap")" vs web-storage
    eventually 20 measures waymark_provider_unavailable_seconds_total vs == $((down + gap))
    eventually 20 refused measured waymark_provider_unavailable_since_seconds vs
}
# recreated: the gap that VirtRigaud's documents speak of, to the second
recreated() { gap 4; }
# outage: one that is an alarm while it lasts
outage() {
    gap 13 gap_is_open
    eventually 20 told Provider vs ProviderUnavailable web-storage
}
gap_is_open() {
    eventually 20 measures waymark_provider_unavailable_since_seconds vs '>' 0
    eventually 20 restarted web vs pvc-created '.state != "finished" and .unavailableFrom and (.unavailableTo | not)'
    eventually 60 says web ProviderRestarts Unavailable 'no ready pod'
}

MOUNT_FAILED='timed out after 5m0s waiting for providers to mount migration PVC %s (%s); verify the PVC and the provider pods'

# pending: the storage class does not exist, so nobody gets a new pod; the old ones serve on, also after the migration has failed
pending() {
    local name unbound='0/3 nodes are available: 3 pod has unbound immediate PersistentVolumeClaims.'
    three_providers
    vm_migration db '{"storage": {"pvc": {"storageClassName": "fast-rwx"}}}'
    mounting db ReadWriteMany fast-rwx
    for name in vs lv px; do eventually 20 unplaced $name "$unbound"; done
    eventually 30 found db VmClaimNoStorageClass '.message | contains("fast-rwx")'
    eventually 90 says db MigrationStalled VmClaimNoStorageClass fast-rwx db-storage
    eventually 60 says db MigrationProgress Validating "$(mount_limit db)"
    for name in vs lv px; do
        eventually 20 restarted db $name pvc-created '.state == "stuck" and (.unavailableFrom | not)'
        eventually 20 measures waymark_provider_rollouts_stuck $name == 1
    done
    eventually 60 says db ProviderRestarts RolloutStuck db-storage
    eventually 20 told VMMigration db VmClaimNoStorageClass fast-rwx
    # shellcheck disable=SC2059
    vm_fails db "$(printf "$MOUNT_FAILED" db-storage 'source: no Ready pod with the migration PVC mounted yet')"
    eventually 90 says db MigrationOutcome Failed 'timed out after 5m0s'
    eventually 30 found db "$HALF_ROLLED" '.remedy | tostring | contains("delete vmmigration db")'
    vm_deleted db
    roll
    for name in vs lv px; do
        eventually 20 rolled_out $name
        eventually 20 measures waymark_provider_rollouts_stuck $name == 0
    done
    eventually 20 gone persistentvolumeclaims db-storage
}
HALF_ROLLED=ProviderHalfRolled

# multi_attach: the volume is on the source's node, where the target's pod cannot have it
multi_attach() {
    local holder blocked
    provider vs vsphere
    provider lv libvirt
    volume app-storage ReadWriteOnce
    vm_migration app '{"storage": {"pvc": {"accessMode": "ReadWriteOnce"}}}'
    mounting app ReadWriteOnce
    replaced vs
    holder=$(new_pod vs) blocked=$(eventually 20 new_pod lv && new_pod lv)
    eventually 20 waits lv n2 ContainerCreating
    vm_waits app 'target: no Ready pod with the migration PVC mounted yet'
    warns Pod pods "$blocked" FailedAttachVolume \
        "Multi-Attach error for volume \"pv-app\" Volume is already used by pod(s) $holder" 7
    eventually 90 says app MigrationStalled ProviderMultiAttach "$holder" "$blocked" n1
    found app ProviderMultiAttach '.remedy | tostring | contains("ReadWriteMany")' || fail 'the remedy'
    eventually 20 restarted app lv pvc-created '.state == "stuck" and .stuck == "FailedAttachVolume" and (.unavailableFrom | not)'
    restarted app vs pvc-created '.state == "finished" and .culprits[0].migration == "app"' || fail 'the restart of vs'
    eventually 60 says app ProviderRestarts RolloutStuck lv
}

# misled: the Service of the source's provider selects nobody any more, while its pod is well; and does again. This API server
# knows EndpointSlices as v1beta1 only.
misled() {
    local service down
    provider vs vsphere
    provider lv libvirt
    service=$(deployment_of vs)
    vm_migration web '{"storage": {"type": "nfs", "nfs": {"server": "nfs.example.com", "export": "/vms"}}}'
    vm_begins web
    vm_exports web
    eventually 60 reported web '.phase == "Exporting"'
    eventually 20 refused measured waymark_provider_unavailable_since_seconds vs
    down=$(measured waymark_provider_unavailable_seconds_total vs)
    selects vs nobody
    eventually 30 found web ProviderNotInService '(.message | contains($s) and contains($p)) and
        (.remedy | tostring | contains("get service \($s)"))' --arg s "$service" --arg p "$(new_pod vs)"
    measures waymark_provider_unavailable_since_seconds vs '>' 0 || fail 'it is said to be available'
    reported web '.pace == "stalled"' || fail 'it is not said to be stalled'
    selects vs vs
    eventually 30 refused found web ProviderNotInService
    eventually 20 refused measured waymark_provider_unavailable_since_seconds vs
    measures waymark_provider_unavailable_seconds_total vs '>' "$down" || fail 'the time was not counted'
    vm_fails web 'Failed to start disk export: no space left on device'
}

# overwritten: VirtRigaud's controller takes our words away with each of its writes, as after conflicts; they come back, and nobody
# fights
overwritten() {
    local writes i
    provider vs vsphere
    provider lv libvirt
    vm_migration web '{"storage": {"type": "nfs", "nfs": {"server": "nfs.example.com", "export": "/vms"}}}'
    vm_begins web
    vm_exports web
    eventually 60 reported web '.phase == "Exporting"'
    sleep 8 # a change would make VirtRigaud export a second time
    no_condition web MigrationProgress || fail 'it was written while its disk was being copied'
    vm_imports web
    vm_creates web
    eventually 60 says web MigrationProgress Creating
    sleep 6 # what is gone sooner may not have been there yet
    for ((i = 0; i < 8; i++)); do
        CONFLICT=1 vm_creates web
        sleep 2
    done
    no_condition web MigrationProgress || fail 'it was written at once, into the midst of its owner'
    writes=$(our_writes web | jq length)
    ((writes <= 4)) || fail "$writes writes"
    eventually 120 says web MigrationProgress Creating
    writes=$(our_writes web | jq length)
    ((writes <= 6)) || fail "$writes writes"
    (($(aggregator_metric waymark_words_lost_total) >= 1)) || fail 'no loss was noticed'
    vm_fails web 'Failed to create target VM: no space left on device'
}

# killed and started again, the aggregator knows all restarts as before, and tells none of them twice
test_killed() {
    providers
    side_by_side remembered
}

restarts_of() { see migrationreports "$1.vm" | jq -c .status.restarts; }
# restart_events: those about restarts in the namespace, each with how often
restart_events() {
    rest GET "apis/events.k8s.io/v1/namespaces/$NS/events" | jq -r '.items[] | select(.reason | startswith("Provider")) |
        "\(.regarding.kind) \(.regarding.name) \(.reason) \(.series.count // 1) \(.note)"' | sort
}
remembered() {
    local restarts events
    gap 3
    eventually 20 told Provider lv ProviderRestarted
    restarts=$(restarts_of web) events=$(restart_events)
    signal_process "$E2E_CASE_DIR" aggregator KILL
    run_aggregator
    sleep 5
    assert_eq "$restarts" "$(restarts_of web)" 'restarts'
    assert_eq "$events" "$(restart_events)" 'Events'
    vm_deleted web
    roll
    replaced lv
    eventually 20 told Provider lv ProviderRestarted deleted
}

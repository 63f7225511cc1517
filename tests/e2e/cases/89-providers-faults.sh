# shellcheck shell=bash disable=SC2016,SC2119
# Restarts of VirtRigaud's providers, by the real controllers of Kubernetes: rollouts that bring to light what was wrong before, that
# cut the transfers of others, and what migrations leave behind.
# shellcheck source=tests/e2e/providers.sh
source "$WM_ROOT/tests/e2e/providers.sh"

case_begin() { providers_up; }

# a rollout brings to light an image or a program that does not start, in the migration's own providers and in one beside them
test_rollouts() {
    providers
    side_by_side beside target_image target_crash victim
}

PX_IMAGE=registry.example.com/px:v9

# beside: px has nothing to do with the migration, and cannot be rolled; then its node is drained, and nobody serves
beside() {
    provider vs vsphere
    provider lv libvirt
    provider px proxmox $PX_IMAGE
    volume m1-storage
    vm_migration m1
    mounting m1
    eventually 20 waits px n3 ImagePullBackOff "Back-off pulling image \"$PX_IMAGE\""
    replaced vs lv
    vm_exports m1
    eventually 30 restarted m1 px pvc-created '.state == "stuck" and .stuck == "ImagePullBackOff" and (.unavailableFrom | not) and
        .culprits[0].migration == "m1" and .culprits[0].role == "collateral"'
    eventually 20 measures waymark_provider_rollouts_stuck px == 1
    eventually 20 told Provider px ProviderRestartStuck ImagePullBackOff
    vm_imports m1
    vm_creates m1 # conditions are not written before: that would make VirtRigaud copy again
    eventually 90 says m1 ProviderRestarts RolloutStuck px m1-storage
    no_condition m1 MigrationStalled || fail 'the migration is said to be stalled by what is none of its business'
    drained px
    eventually 20 measures waymark_provider_unavailable_since_seconds px '>' 0
    provider_is px DeploymentReady # VirtRigaud goes on to call it healthy
    copied m1
    eventually 60 restarted m1 px pvc-created '.state == "stuck" and .unavailableFrom and (.unavailableTo | not)'
    # "since", or "that its Service leads to" where that is seen first
    eventually 90 says m1 ProviderRestarts Unavailable px 'no ready pod'
    eventually 20 told Provider px ProviderUnavailable
    eventually 90 says m1 MigrationOutcome Succeeded
}

# target_image: the same image at the target: now the migration is stuck
target_image() {
    provider vs vsphere
    provider lv libvirt $PX_IMAGE
    volume m1-storage
    vm_migration m1
    mounting m1
    eventually 20 waits lv n3 ImagePullBackOff "Back-off pulling image \"$PX_IMAGE\""
    replaced vs
    vm_waits m1 'target: no Ready pod with the migration PVC mounted yet'
    eventually 90 says m1 MigrationStalled "$PROVIDER_IMAGE" "$PX_IMAGE" "$(new_pod lv)"
    found m1 "$PROVIDER_IMAGE" '.remedy | tostring | contains("provider")' || fail 'the remedy'
    eventually 60 says m1 MigrationProgress Validating "$(mount_limit m1)"
    eventually 20 told VMMigration m1 "$PROVIDER_IMAGE"
    # The image is there again: it goes on.
    eventually 20 serves lv n3
    eventually 20 leaving lv
    ended lv
    vm_exports m1
    eventually 60 reported m1 '.pace == "moves"'
    eventually 20 measures waymark_provider_rollouts_stuck lv == 0
    vm_imports m1
    vm_creates m1
    eventually 90 no_stall m1
    vm_fails m1 'Failed to create target VM: no space left on device'
}
PROVIDER_IMAGE=ProviderImagePull
no_stall() { no_condition "$1" MigrationStalled || says_status "$1" MigrationStalled False; }

# target_crash: the new pod of the target ends again and again
target_crash() {
    provider vs vsphere
    provider lv libvirt
    volume m1-storage
    vm_migration m1
    mounting m1
    replaced vs
    eventually 20 waits lv n3 CrashLoopBackOff 'back-off 5m0s restarting failed container' '{"restartCount": 5, "lastState": {"terminated":
        {"exitCode": 1, "reason": "Error", "message": "cannot read /etc/provider/tls.crt", "finishedAt": "'"$(rfc3339)"'"}}}'
    vm_waits m1 'target: no Ready pod with the migration PVC mounted yet'
    eventually 90 says m1 MigrationStalled "$PROVIDER_CRASH" "$(new_pod lv)"
    eventually 20 restarted m1 lv pvc-created '.state == "stuck" and .stuck == "CrashLoopBackOff"'
}
PROVIDER_CRASH=ContainerCrash

CUT='Failed to start disk export: Retryable: exportDisk: export failed (caused by: rpc error: code = Unavailable desc = error reading from server: EOF)'

# victim: b's PVC rolls the providers while a and c export; then nothing but the order of the PVCs changes
victim() {
    local name
    provider vs vsphere
    provider lv libvirt
    for name in a b c; do volume $name-storage; done
    vm_migration a
    mounting a
    replaced vs lv
    vm_migration c '{"options": {"retryPolicy": {"maxRetries": 2}}, "storage": {"type": "nfs", "pvc": null,
        "nfs": {"server": "nfs.example.com", "export": "/vms"}}}'
    vm_begins c
    vm_exports a
    vm_exports c
    vm_migration b
    mounting b
    eventually 20 serves vs n1
    eventually 20 leaving vs
    eventually 20 restarted b vs pvc-created '[.victims[] | "\(.migration) \(.phase) \(.failed // false)"] | sort == ["a Exporting false",
        "c Exporting false"]'
    ended vs
    replaced_after vs lv
    vm_fails a "$CUT"
    vm_fails c "$CUT"
    vm_retries c
    eventually 20 restarted b vs pvc-created '([.victims[] | "\(.migration) \(.failed)"] | sort == ["a true", "c true"]) and
        .culprits[0].migration == "b" and .unavailableSeconds == 0'
    eventually 30 found a "$CUT_BY_ROLLOUT" '.message | contains("b")'
    eventually 90 says a MigrationOutcome Failed 'Unavailable'
    eventually 90 says b ProviderRestarts NoGap a
    eventually 60 says a ProviderRestarts NoGap
    eventually 20 told VMMigration a ProviderRestarted b-storage
    eventually 30 reported c '.outcome == "running" and .phase == "Pending"'
    churn
    copied b
}
CUT_BY_ROLLOUT=VmCopyInterrupted
replaced_after() { # PROVIDER OTHER...: the first is through, the others follow
    eventually 20 rolled_out "$1"
    replaced "${@:2}"
}
churn() {
    local before
    before=$(revisions vs)
    roll b-storage a-storage
    replaced vs lv
    roll a-storage b-storage
    replaced vs lv
    say "revisions: $before, then $(revisions vs)"
    eventually 20 restarted b vs pvc-order '[.culprits[].migration] | sort == ["a", "b"]'
    eventually 20 measures waymark_provider_restarts_total vs == 4 'kind="rollout"'
    eventually 60 found b "$CHURN"
}
CHURN=ProviderChurn

# what is left behind by migrations, by their deletion, and by Velero
test_leftovers() {
    providers
    side_by_side unclean orphan own_claim
}

# unclean: clean-up never ends, the PVC's deletion is held up by a provider that cannot be rolled, and the next migration of that name
# takes the dying PVC for its own
unclean() {
    local holder
    provider vs vsphere
    provider px proxmox
    volume old-storage
    vm_migration old '{"target": {"providerRef": {"name": "px"}}}'
    mounting old
    replaced vs px
    vm_exports old
    vm_imports old
    vm_creates old
    vm_ready old
    eventually 60 found old "$CLEANUP"
    found old "$CLEANUP" '.message | contains("snapshot")' || fail "the snapshot is not named"
    eventually 90 says old MigrationOutcome Succeeded
    holder=$(new_pod px)
    vm_deleted old
    roll
    eventually 20 waits px n3 ImagePullBackOff 'Back-off pulling image "registry.example.com/provider-proxmox:v1"'
    replaced vs
    see persistentvolumeclaims old-storage | jq -e .metadata.deletionTimestamp >/dev/null || fail 'the PVC is not held'
    eventually 30 measures waymark_provider_rollouts_stuck px == 1
    eventually 30 told Provider px ProviderRestartStuck old-storage
    eventually 20 gone vmmigrations old
    vm_migration old '{"target": {"providerRef": {"name": "px"}}}'
    vm_begins old
    vm_write old '.storagePVCName = "old-storage"'
    vm_waits old 'source: deployment not yet updated with the migration PVC volume'
    eventually 90 says old MigrationStalled "$DYING" old-storage "$holder"
}
CLEANUP=VmCleanupStuck DYING=VmClaimTerminating

# orphan: Velero has restored a migration's PVC, without its owner: it rolls every provider, for nobody
orphan() {
    provider vs vsphere
    provider lv libvirt
    volume gone-storage
    jq -n '{apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: {name: "gone-storage", labels: {
        "app.kubernetes.io/managed-by": "virtrigaud", "virtrigaud.io/migration": "gone",
        "virtrigaud.io/component": "migration-storage", "velero.io/restore-name": "r1"}},
        spec: {accessModes: ["ReadWriteMany"], storageClassName: "nfs", resources: {requests: {storage: "50Gi"}}}}' |
        make persistentvolumeclaims
    roll
    replaced vs lv
    eventually 20 measures waymark_orphan_claims "$NS" == 1
    eventually 20 told Provider vs ProviderRestarted gone-storage
    remove persistentvolumeclaims gone-storage
    roll
    replaced vs lv
    eventually 20 gone persistentvolumeclaims gone-storage
    eventually 20 refused measures waymark_orphan_claims "$NS" '>' 0
}

# own_claim: a user's own PVC is never mounted, and goes with the VMMigration
own_claim() {
    provider vs vsphere
    provider lv libvirt
    volume golden
    jq -n '{apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: {name: "golden"}, spec: {accessModes: ["ReadWriteMany"],
        storageClassName: "nfs", resources: {requests: {storage: "50Gi"}}}}' | make persistentvolumeclaims
    vm_migration keep '{"storage": {"pvc": {"name": "golden"}}}'
    vm_begins keep
    vm_write keep '.storagePVCName = "golden"'
    # shellcheck disable=SC2059
    vm_fails keep "$(printf 'timed out after 5m0s waiting for providers to mount migration PVC %s (%s); verify' golden \
        'source: deployment not yet updated with the migration PVC volume')"
    eventually 60 found keep "$OWN_CLAIM" '.message | contains("golden")'
    eventually 90 says keep MigrationOutcome Failed 'timed out after 5m0s'
    no_condition keep ProviderRestarts || fail 'restarts of which there were none'
}
OWN_CLAIM=VmOwnClaimInDanger

# shellcheck shell=bash
# Validation on a real API server, with what people type and what controllers write.

case_begin() {
    use_webhook
    story_setup
    kubectl get namespace vm >/dev/null 2>&1 || kubectl create namespace vm >/dev/null
    kubectl apply -f - >/dev/null <<'END'
apiVersion: v1
kind: List
items:
- {apiVersion: infra.virtrigaud.io/v1beta1, kind: VirtualMachine, metadata: {name: web, namespace: vm}, spec: {providerRef: {name: vs}}}
- apiVersion: infra.virtrigaud.io/v1beta1
  kind: Provider
  metadata: {name: vs, namespace: vm}
  spec: {type: vsphere, endpoint: 'https://vcenter.example.com', credentialSecretRef: {name: c}, runtime: {image: 'r/vs:v1'}}
- apiVersion: infra.virtrigaud.io/v1beta1
  kind: Provider
  metadata: {name: lv, namespace: vm}
  spec: {type: libvirt, endpoint: 'qemu+ssh://lv.example.com/system', credentialSecretRef: {name: c}, runtime: {image: 'r/lv:v1'}}
- {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: nfs}, provisioner: example.com/nfs}
END
}

# plan NAME [JQ]: a good plan of that name, changed by a jq program
plan() {
    jq -n --arg name "$1" '{apiVersion: "migration.openshift.io/v1alpha1", kind: "MigPlan",
        metadata: {name: $name, namespace: "openshift-migration"}, spec: {
            srcMigClusterRef: {name: "source", namespace: "openshift-migration"},
            destMigClusterRef: {name: "host", namespace: "openshift-migration"},
            migStorageRef: {name: "bucket", namespace: "openshift-migration"},
            namespaces: ["\($name[:40])-app"], indirectImageMigration: true, indirectVolumeMigration: true}}' | jq "${2:-.}"
}
# migration NAME PLAN [JQ]
migration() {
    jq -n --arg name "$1" --arg plan "$2" '{apiVersion: "migration.openshift.io/v1alpha1", kind: "MigMigration",
        metadata: {name: $name, namespace: "openshift-migration"},
        spec: {migPlanRef: {name: $plan, namespace: "openshift-migration"}, stage: false, quiescePods: true}}' | jq "${3:-.}"
}
# vm NAME [JQ]
vm() {
    jq -n --arg name "$1" '{apiVersion: "infra.virtrigaud.io/v1beta1", kind: "VMMigration", metadata: {name: $name, namespace: "vm"},
        spec: {source: {vmRef: {name: "web"}, powerOffBeforeMigration: true}, target: {name: "web-lv", providerRef: {name: "lv"}},
            storage: {type: "pvc", pvc: {storageClassName: "nfs", size: "50Gi", accessMode: "ReadWriteMany"}},
            options: {retryPolicy: {maxRetries: 3}}}}' | jq "${2:-.}"
}
hook='{reference: {name: "h", namespace: "openshift-migration"}, phase: "PreBackup", executionNamespace: "app", serviceAccount: "sa"}'
long() { head -c "$1" /dev/zero | tr '\0' a; }

# denied RULE WORD: what stands on stdin is not created; the refusal names the rule and says WORD
denied() {
    local said object
    object=$(cat)
    said=$(refused kubectl create -f - <<<"$object")
    assert_contains "($1" "$said" 'the refusal'
    assert_contains "$2" "$said" 'the refusal'
}
# accepted: what stands on stdin would be created; prints the warnings
accepted() { { kubectl create --dry-run=server -f - >/dev/null; } 2>&1; }

# plan names: 63 characters pass and 64 do not; with hooks 51, and no dots
test_plan_names() {
    kubectl apply -f - >/dev/null <<'END'
apiVersion: migration.openshift.io/v1alpha1
kind: MigHook
metadata: {name: h, namespace: openshift-migration}
spec: {custom: true, image: 'quay.io/konveyor/hook-runner:latest', targetCluster: source}
END
    plan "$(long 63)" | accepted
    plan "$(long 64)" | denied plan/name-too-long 64
    plan "$(long 51)" ".spec.hooks = [$hook]" | accepted
    plan "$(long 52)" ".spec.hooks = [$hook]" | denied plan/name-with-hooks 52
    plan a.b '.spec.namespaces = ["app"]' | accepted
    plan a.b ".spec.namespaces = [\"app\"] | .spec.hooks = [$hook]" | denied plan/name-with-hooks a.b
}

# a namespace twice, on either side
test_duplicate_namespaces() {
    plan p '.spec.namespaces = ["a", "b:x", "c:y"]' | accepted
    plan p '.spec.namespaces = ["a:x", "a:y"]' | denied plan/duplicate-namespace DuplicateNamespaceOnSourceCluster
    plan p '.spec.namespaces = ["a:x", "b:x"]' | denied plan/duplicate-namespace DuplicateNamespaceOnDestinationCluster
}

# hooks: an unknown phase, two for one phase, one that is not there
test_hooks() {
    plan p ".spec.hooks = [$hook | .phase = \"BeforeBackup\"]" | denied plan/hook-phase-unknown BeforeBackup
    plan p ".spec.hooks = [$hook, $hook]" | denied plan/hook-phase-duplicate PreBackup
    plan p ".spec.hooks = [$hook | .reference.name = \"nobody\"]" | denied plan/hook-missing nobody
}

# references to what is not there
test_missing_references() {
    plan p '.spec.srcMigClusterRef.name = "moon"' | denied plan/cluster-missing moon
    plan p '.spec.migStorageRef.name = "bin"' | denied plan/storage-missing bin
    migration m nobody | denied migration/plan-missing nobody
}

# a migration in a foreign namespace would postpone all others of its plan for ever
test_foreign_namespace() {
    migration m nginx-plan '.metadata.namespace = "default"' | denied migration/namespace default
}

# one kind of run at a time, of a plan that is open
test_migrations() {
    plan open | kubectl create -f - >/dev/null
    plan shut '.spec.closed = true' | kubectl create -f - >/dev/null
    migration m open | accepted >/dev/null
    migration m open '.spec.stage = true | .spec.rollback = true' | denied migration/exclusive-types rollback
    migration m shut | denied migration/plan-closed PlanClosed
    assert_contains Forbidden "$(migration m shut | refused kubectl create -f -)"
    migration "$(long 64)" open | denied migration/name-too-long 64
}

# machines: each fault with its consequence, and the same without the fault
test_vm_migrations() {
    vm ok | accepted >/dev/null
    vm m 'del(.spec.storage)' | denied vm/storage-missing spec.storage
    vm m '.spec.storage.pvc.accessMode = "ReadOnlyMany"' | denied vm/read-only ReadOnlyMany
    vm "$(long 45)" | accepted >/dev/null
    vm "$(long 46)" | denied vm/name '64 characters'
    vm a.b | denied vm/name a.b
    vm m '.spec.target.providerRef.namespace = "elsewhere"' | denied vm/provider-namespace elsewhere
    kubectl apply -f - >/dev/null <<'END'
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: golden, namespace: vm}
spec: {accessModes: [ReadWriteMany], storageClassName: nfs, resources: {requests: {storage: 1Gi}}}
END
    vm m '.spec.storage.pvc = {name: "golden"}' | denied vm/own-pvc golden
    assert_contains vm/single-node "$(vm m '.spec.storage.pvc.accessMode = "ReadWriteOnce"' | accepted)" 'the warning'
    assert_contains vm/source-missing "$(vm m '.spec.source.vmRef.name = "ghost"' | accepted)" 'the warning'
}

# all faults of an object are told at once, as causes with fields, code 422
test_all_faults_at_once() {
    local said
    said=$(plan p '.spec.namespaces = ["a", "a"] | .spec.hooks = ['"$hook"' | .phase = "X"]' | refused kubectl create -f -)
    assert_contains 'The MigPlan "p" is invalid' "$said"
    assert_contains spec.namespaces "$said"
    assert_contains spec.hooks "$said"
    plan p '.spec.namespaces = ["a", "a"]' >"$E2E_TEST_DIR/plan.json"
    assert_contains '"code":422' "$(kubectl create -v8 -f "$E2E_TEST_DIR/plan.json" 2>&1 || true)"
    assert_contains '"reason":"FieldValueDuplicate"' "$(kubectl create -v8 -f "$E2E_TEST_DIR/plan.json" 2>&1 || true)"
}

# what the wizard of the UI does: a plan without volumes, then a half-finished selection; selections only warn
test_wizard() {
    plan wizard | accepted
    plan wizard | kubectl create -f - >/dev/null
    kubectl patch migplan wizard -n openshift-migration --type merge -p '{"spec": {"persistentVolumes": [
        {"name": "pv1", "pvc": {"namespace": "wizard-app", "name": "data"}, "selection": {"action": ""},
         "supported": {"actions": ["copy"], "copyMethods": ["filesystem"]}}]}}' >/dev/null
    assert_contains plan/pv-action "$(kubectl patch migplan wizard -n openshift-migration --type json \
        -p '[{"op": "replace", "path": "/spec/persistentVolumes/0/selection", "value": {"action": "move"}}]' 2>&1)" 'the warning'
}

# objects that were bad before the webhook came: status, labels, finalizers and other parts can still be written
test_bad_objects_stay_writable() {
    use_webhook
    local change
    kubectl label namespace openshift-migration waymark.io/exempt=true >/dev/null
    eventually 20 plan_passes old >/dev/null
    plan old '.spec.namespaces = ["a", "a"]' | kubectl create -f - >/dev/null
    kubectl label namespace openshift-migration waymark.io/exempt- >/dev/null
    eventually 20 validation_answers
    for change in '{"status": {"conditions": [{"type": "Ready", "status": "False", "category": "Critical", "lastTransitionTime": "2026-11-21T07:00:00Z"}]}}' \
        '{"metadata": {"labels": {"a": "b"}, "finalizers": ["example.com/x"]}}' '{"spec": {"refresh": true}}' \
        '{"spec": {"indirectImageMigration": false}}' '{"metadata": {"finalizers": []}}'; do
        kubectl patch migplan old -n openshift-migration --type merge -p "$change" >/dev/null
    done
    assert_contains plan/duplicate-namespace "$(refused kubectl patch migplan old -n openshift-migration --type merge \
        -p '{"spec": {"namespaces": ["b", "b"]}}')"
    kubectl delete migplan old -n openshift-migration >/dev/null
}
# An object from before the webhook: its namespace was exempt.
plan_passes() { plan "$1" '.spec.namespaces = ["a", "a"]' | kubectl create --dry-run=server -f -; }
validation_answers() { ! plan_passes nobody 2>/dev/null; }

# a plan stays as it is while a migration of it runs; a finished one does not hold it
test_running_migration() {
    plan busy | kubectl create -f - >/dev/null
    migration runner busy '.status = {phase: "StageRestoreCreated", itinerary: "Final"}' | kubectl create -f - >/dev/null 2>&1
    assert_contains runner "$(refused kubectl delete migplan busy -n openshift-migration)"
    kubectl delete --dry-run=server migplan busy -n openshift-migration \
        --as=system:serviceaccount:kube-system:namespace-controller >/dev/null # a namespace that goes is not held up
    assert_contains plan/close-while-running "$(refused kubectl patch migplan busy -n openshift-migration --type merge -p '{"spec": {"closed": true}}')"
    assert_contains plan/change-while-running "$(refused kubectl patch migplan busy -n openshift-migration --type merge -p '{"spec": {"namespaces": ["other"]}}')"
    kubectl patch migmigration runner -n openshift-migration --type merge -p '{"status": {"phase": "Completed"}}' >/dev/null
    kubectl patch migplan busy -n openshift-migration --type merge -p '{"spec": {"closed": true}}' >/dev/null
    kubectl delete migplan busy -n openshift-migration >/dev/null
}

# configure TEXT: the validation section of the running webhook from now on; no text: as the run began
configure() {
    local config=$E2E_DIR/shared/config.yaml
    [[ -e $config.first ]] || cp "$config" "$config.first"
    if (($#)); then printf '%s\n' validation: "$@" >"$config.new"; else cp "$config.first" "$config.new"; fi
    mv "$config.new" "$config"
}

# the configuration is taken up while we run; a faulty one is refused with its line and the old one stays
test_modes_change_without_restart() {
    use_webhook
    configure '  modes:' '  - {rules: [plan/duplicate-namespace], mode: warn}'
    eventually 10 duplicate_warns >/dev/null
    configure '  modes:' '  - {rules: [plan/no-such-rule], mode: warn}'
    eventually 10 policy_is_faulty
    assert_contains 'config.yaml:3:' "$(grep policy_refused "$E2E_DIR/shared/webhook.log" | tail -n 1)"
    duplicate_warns >/dev/null || fail 'the configuration in force was lost'
    configure
    eventually 10 validation_answers
}
duplicate_warns() { plan p '.spec.namespaces = ["a", "a"]' | accepted | grep -F plan/duplicate-namespace; }
policy_is_faulty() { [[ $(webhook_metric waymark_policy_faulty) == 1 ]]; }

# an exception counts when the configuration allows it, and for that rule only
test_exceptions() {
    use_webhook
    local wish='.spec.namespaces = ["a", "a"] | .metadata.annotations = {"waymark.io/exceptions": "plan/duplicate-namespace"}'
    plan p "$wish" | denied plan/duplicate-namespace a
    configure '  exceptions: [plan/duplicate-namespace]'
    eventually 10 plan_is_excepted "$wish"
    plan p "$wish | .spec.migStorageRef.name = \"bin\"" | denied plan/storage-missing bin
    plan p '.spec.namespaces = ["a", "a"]' | denied plan/duplicate-namespace a
    configure
    eventually 10 validation_answers
}
plan_is_excepted() { plan p "$1" | kubectl create --dry-run=server -f - >/dev/null; }

# what cannot be looked up is no fault: without the right to read other objects the same plan passes
test_lookups_that_are_refused() {
    use_webhook
    local binding
    binding=$(kubectl get clusterrolebinding waymark-webhook-lookups -o json)
    plan p '.spec.migStorageRef.name = "bin"' | denied plan/storage-missing bin
    kubectl delete clusterrolebinding waymark-webhook-lookups >/dev/null
    eventually 10 plan_without_storage_passes
    assert_contains plan/storage-missing "$(grep '"ev":"validation"' "$E2E_DIR/shared/webhook.log" | tail -n 1 | jq -r .cannot_tell)" 'what it cannot tell'
    jq 'del(.metadata.resourceVersion, .metadata.uid)' <<<"$binding" | kubectl create -f - >/dev/null
    eventually 10 plan_without_storage_fails
}
plan_without_storage_passes() { plan p '.spec.migStorageRef.name = "bin"' | kubectl create --dry-run=server -f - >/dev/null; }
plan_without_storage_fails() { ! plan_without_storage_passes 2>/dev/null; }

# four hundred warnings come as some that fit, and a count of the rest
test_many_warnings() {
    local said
    said=$(plan p '.spec.persistentVolumes = [range(400) | {name: "pv-\(.)", pvc: {namespace: "p-app", name: "data-\(.)"},
        selection: {action: "teleport"}, supported: {actions: ["copy"], copyMethods: ["filesystem"]}}]' | accepted)
    assert_contains plan/pv-action "$said"
    assert_eq 400 "$(($(grep -c 'plan/pv-action\|\.\.\.$' <<<"$said") + $(sed -n 's/^Warning: and \([0-9]*\) more;.*/\1/p' <<<"$said")))" \
        'warnings, told and counted'
}

# where updates of migrations are registered, too, a running one stays what it is, and its controller can write on
test_update_of_a_running_migration() {
    use_webhook
    local patch='[{"op": "replace", "path": "/webhooks/1/rules/0/operations", "value": %s}]'
    assert_eq migrations.validation.waymark.io \
        "$(kubectl get validatingwebhookconfiguration waymark-validation -o jsonpath='{.webhooks[1].name}')"
    plan steady | kubectl create -f - >/dev/null
    migration walker steady '.status = {phase: "StageBackupCreated", itinerary: "Final"}' | kubectl create -f - >/dev/null 2>&1
    # shellcheck disable=SC2059
    kubectl patch validatingwebhookconfiguration waymark-validation --type json -p "$(printf "$patch" '["CREATE", "UPDATE"]')" >/dev/null
    eventually 10 rollback_is_refused
    kubectl patch migmigration walker -n openshift-migration --type merge -p '{"status": {"phase": "StageRestoreCreated"}}' >/dev/null
    kubectl patch migmigration walker -n openshift-migration --type merge -p '{"spec": {"canceled": true}}' >/dev/null
    # shellcheck disable=SC2059
    kubectl patch validatingwebhookconfiguration waymark-validation --type json -p "$(printf "$patch" '["CREATE"]')" >/dev/null
    kubectl delete migmigration walker -n openshift-migration >/dev/null
}
rollback_is_refused() {
    ! kubectl patch --dry-run=server migmigration walker -n openshift-migration --type merge -p '{"spec": {"rollback": true}}' \
        >"$E2E_TEST_DIR/said" 2>&1 && grep -F migration/changed-after-start "$E2E_TEST_DIR/said"
}

# shellcheck shell=bash
# The labels on a real API server: each kind as its creator makes it, in the moment of creation.

PLAN_KEY=migration.openshift.io/migplan-name
ALIAS_KEY=migrations.openshift.io/migPlanName
MIGRATION_KEY=migration.openshift.io/migmigration-name
UID_KEY=migration.openshift.io/migmigration-uid

case_begin() { use_webhook; }

# new_migration METADATA [PLAN]: creates one in the test's namespace and prints its name
new_migration() {
    kubectl create -f - -o name <<END | sed 's/.*\///'
apiVersion: migration.openshift.io/v1alpha1
kind: MigMigration
metadata: {$1, namespace: $NAMESPACE}
spec: {migPlanRef: {name: ${2:-nginx-plan}, namespace: $NAMESPACE}, stage: false}
END
}

assert_identity() { # KIND NAME
    assert_label "$1" "$2" $PLAN_KEY nginx-plan
    assert_label "$1" "$2" $MIGRATION_KEY "$MIGRATION"
    assert_label "$1" "$2" $UID_KEY "$MIGRATION_UID"
}

assert_story() {
    local name
    assert_label migmigration "$MIGRATION" $PLAN_KEY nginx-plan
    assert_label migmigration "$MIGRATION" $ALIAS_KEY nginx-plan
    assert_label migmigration "$MIGRATION" $MIGRATION_KEY "$MIGRATION"
    assert_identity backup "$INITIAL_BACKUP"
    assert_identity backup "$STAGE_BACKUP"
    assert_identity restore "$STAGE_RESTORE"
    assert_identity restore "$FINAL_RESTORE"
    for name in "${PVBS[@]}"; do assert_identity podvolumebackup "$name"; done
    for name in "${PVRS[@]}"; do assert_identity podvolumerestore "$name"; done
    assert_identity directvolumemigration "$DVM"
    for name in "${DVMPS[@]}"; do assert_identity directvolumemigrationprogress "$name"; done
    assert_identity directimagemigration "$DIM"
    assert_identity directimagestreammigration "$DISM"
    assert_eq '' "$(kubectl get backup "$UNRELATED_BACKUP" -n "$NAMESPACE" -o json |
        jq -r '.metadata.labels // {} | keys[] | select(test("migration"))')" \
        'migration labels of an unrelated backup'
}

# every object of a migration is labelled as it is created, and an unrelated backup is not
test_story() {
    kubectl delete "$STORY_KINDS",migplans --all -n "$NAMESPACE" >/dev/null 2>&1 || true
    story_all
    assert_story
}

# the seed's own command finds the migrations of a plan
test_seed_command() {
    own_namespace
    new_migration 'name: m1' >/dev/null
    new_migration 'name: m2' >/dev/null
    new_migration 'name: m3' other-plan >/dev/null
    assert_eq 'm1 m2' "$(kubectl get migmigrations -n "$NAMESPACE" -l $ALIAS_KEY=nginx-plan -o jsonpath='{.items[*].metadata.name}')"
}

# a migration made with generateName gets its plan at once and its own name at its first update
test_generate_name() {
    local name
    own_namespace
    name=$(new_migration 'generateName: mig-')
    assert_label migmigration "$name" $PLAN_KEY nginx-plan
    assert_no_label migmigration "$name" $MIGRATION_KEY
    kubectl annotate migmigration "$name" -n "$NAMESPACE" openshift.io/touch=1 >/dev/null
    assert_label migmigration "$name" $MIGRATION_KEY "$name"
}

# a label that somebody strips comes back at once
test_stripped_label() {
    own_namespace
    new_migration 'name: m' >/dev/null
    kubectl label migmigration m -n "$NAMESPACE" $MIGRATION_KEY- >/dev/null
    assert_label migmigration m $MIGRATION_KEY m
}

# a wrong plan label on a new migration is put right
test_wrong_label() {
    own_namespace
    new_migration "name: m, labels: {$PLAN_KEY: wrong, team: blue}" >/dev/null
    assert_label migmigration m $PLAN_KEY nginx-plan
    assert_label migmigration m team blue
}

# names over 63 bytes are shortened as Velero does, with the full name in an annotation
test_long_names() {
    local name
    own_namespace
    name=$(printf 'm%.0s' {1..70})
    new_migration "name: $name" >/dev/null
    assert_label migmigration "$name" $MIGRATION_KEY \
        "${name:0:57}$(printf %s "$name" | sha256sum | cut -c1-6)"
    assert_eq "$name" "$(kubectl get migmigration "$name" -n "$NAMESPACE" -o json | jq -r '.metadata.annotations["waymark.io/migmigration-name"]')"
}

# a plan name that no label can hold is not made up into one, and the user is told
test_unsafe_name() {
    own_namespace
    assert_contains 'not labelled' "$(new_migration 'name: m' '"my plan"' 2>&1)" 'warning'
    assert_no_label migmigration m $PLAN_KEY
    assert_label migmigration m $MIGRATION_KEY m
}

# a dry run shows the labels and leaves nothing behind
test_dry_run() {
    own_namespace
    assert_eq nginx-plan "$(kubectl create --dry-run=server -o json -f - <<END | jq -r ".metadata.labels[\"$PLAN_KEY\"]"
apiVersion: migration.openshift.io/v1alpha1
kind: MigMigration
metadata: {name: m, namespace: $NAMESPACE}
spec: {migPlanRef: {name: nginx-plan, namespace: $NAMESPACE}, stage: false}
END
    )"
    absent migmigration m
}

# a PodVolumeBackup that is created milliseconds after its Backup finds it: both in one request stream
test_child_right_behind_its_parent() {
    local i uid
    own_namespace
    MIGRATION=$(new_migration 'name: racing')
    MIGRATION_UID=$(uid_of migmigration racing "$NAMESPACE")
    for i in 1 2 3 4 5 6 7 8 9 10; do
        uid=$(kubectl create -o jsonpath='{.metadata.uid}' -f - <<END
apiVersion: velero.io/v1
kind: Backup
metadata: {name: b-$i, namespace: $NAMESPACE, labels: {app.kubernetes.io/part-of: openshift-migration, migmigration: $MIGRATION_UID}}
spec: {}
END
        )
        kubectl create -f - >/dev/null <<END
apiVersion: velero.io/v1
kind: PodVolumeBackup
metadata:
  name: b-$i
  namespace: $NAMESPACE
  ownerReferences: [{apiVersion: velero.io/v1, kind: Backup, name: b-$i, uid: $uid, controller: true}]
spec: {backupStorageLocation: default, node: worker, pod: {}, repoIdentifier: r, volume: v}
END
        assert_identity podvolumebackup "b-$i"
    done
}

# an owner of the same name with another uid is another object
test_uid_must_match() {
    own_namespace
    kubectl create -f - >/dev/null <<END
apiVersion: velero.io/v1
kind: Backup
metadata: {name: b, namespace: $NAMESPACE, labels: {$PLAN_KEY: p, $MIGRATION_KEY: m}}
spec: {}
END
    # Looked at as it is created: the garbage collector deletes what has such an owner.
    assert_eq null "$(kubectl create -o json -f - <<END | jq -c .metadata.labels
apiVersion: velero.io/v1
kind: PodVolumeBackup
metadata:
  name: b-1
  namespace: $NAMESPACE
  ownerReferences: [{apiVersion: velero.io/v1, kind: Backup, name: b, uid: 99999999-9999-4999-8999-999999999999, controller: true}]
spec: {backupStorageLocation: default, node: worker, pod: {}, repoIdentifier: r, volume: v}
END
    )" 'labels'
}

# hook Jobs and rsync pods of MTC are labelled, those of applications never even reach the webhook
test_jobs_and_pods() {
    local before
    use_webhook
    own_namespace
    new_migration 'name: m' >/dev/null
    MIGRATION=m MIGRATION_UID=$(uid_of migmigration m "$NAMESPACE")
    job() {
        kubectl create -f - >/dev/null <<END
apiVersion: batch/v1
kind: Job
metadata: {name: $1, namespace: $NAMESPACE, labels: {$2}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}
END
    }
    job hook "mighook: h, owner: $MIGRATION_UID, phase: PreBackup"
    assert_identity job hook
    before=$(webhook_metric waymark_http_requests_total)
    job app "owner: $MIGRATION_UID"
    assert_eq "$before" "$(webhook_metric waymark_http_requests_total)" 'calls for a Job of an application'
    assert_no_label job app $PLAN_KEY
}

# vm_migration METADATA [SPEC]: creates one in the test's namespace
vm_migration() {
    kubectl create -f - -o name <<END | sed 's/.*\///'
apiVersion: infra.virtrigaud.io/v1beta1
kind: VMMigration
metadata: {$1, namespace: $NAMESPACE}
spec:
  source: {vmRef: {name: web}, providerRef: {name: vs}}
  target: {name: web, providerRef: {name: lv}}
  ${2:-}
END
}

# claim NAME LABELS [OWNER]: creates a PVC as VirtRigaud does, of the VMMigration OWNER
claim() {
    local owners=''
    [[ -z ${3:-} ]] || owners="[{apiVersion: infra.virtrigaud.io/v1beta1, kind: VMMigration, name: $3,
        uid: $(uid_of vmmigration "$3" "$NAMESPACE"), controller: true, blockOwnerDeletion: true}]"
    kubectl create -f - >/dev/null <<END
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $1, namespace: $NAMESPACE, labels: {$2}, ownerReferences: ${owners:-[]}}
spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}}
END
}

# a VMMigration bears its providers, its project and its name, its PVC the same; other PVCs never even reach the webhook
test_virtual_machines() {
    local before
    use_webhook
    own_namespace
    vm_migration 'name: web' 'metadata: {project: shop}' >/dev/null
    assert_label vmmigration web waymark.io/source-provider vs
    assert_label vmmigration web waymark.io/target-provider lv
    assert_label vmmigration web $PLAN_KEY shop
    assert_label vmmigration web $MIGRATION_KEY web
    claim web-storage 'virtrigaud.io/component: migration-storage, virtrigaud.io/migration: web' web
    assert_label pvc web-storage waymark.io/source-provider vs
    assert_label pvc web-storage waymark.io/target-provider lv
    assert_label pvc web-storage $PLAN_KEY shop
    assert_label pvc web-storage $MIGRATION_KEY web
    assert_label pvc web-storage $UID_KEY "$(uid_of vmmigration web "$NAMESPACE")"
    assert_label pvc web-storage virtrigaud.io/component migration-storage
    assert_eq 'persistentvolumeclaim/web-storage' "$(kubectl get pvc -n "$NAMESPACE" -l waymark.io/target-provider=lv -o name)"
    before=$(webhook_metric waymark_http_requests_total)
    claim app 'app: web' web
    assert_eq "$before" "$(webhook_metric waymark_http_requests_total)" 'calls for a PVC of an application'
    assert_no_label pvc app $MIGRATION_KEY
}

# a VMMigration that was made with generateName, or has lost its label, gets it at its next update; status writes never wait
test_virtual_machines_updates() {
    local name before
    use_webhook
    own_namespace
    name=$(vm_migration 'generateName: web-')
    assert_no_label vmmigration "$name" $MIGRATION_KEY
    kubectl annotate vmmigration "$name" -n "$NAMESPACE" a=b >/dev/null
    assert_label vmmigration "$name" $MIGRATION_KEY "$name"
    kubectl label vmmigration "$name" -n "$NAMESPACE" $MIGRATION_KEY- >/dev/null
    assert_label vmmigration "$name" $MIGRATION_KEY "$name"
    before=$(webhook_metric waymark_http_requests_total)
    kubectl annotate vmmigration "$name" -n "$NAMESPACE" c=d >/dev/null
    assert_eq "$((before + $(validated_updates)))" "$(webhook_metric waymark_http_requests_total)" 'calls for a labelled one'
}
# validated_updates: how often one update is asked about for validation
validated_updates() {
    kubectl get validatingwebhookconfiguration waymark-validation -o json |
        jq '[.webhooks[].rules[] | select(any(.resources[]; . == "vmmigrations") and any(.operations[]; . == "UPDATE"))] | length'
}

# a PVC that a restore brought back without its owner says whose it was, and no more
test_virtual_machines_restored_pvc() {
    use_webhook
    own_namespace
    claim gone-storage 'virtrigaud.io/component: migration-storage, virtrigaud.io/migration: gone'
    assert_label pvc gone-storage $MIGRATION_KEY gone
    assert_no_label pvc gone-storage waymark.io/source-provider
}

# 1,000 status updates of a labelled migration, written as mig-controller writes them, are not one call to the webhook
test_status_updates_never_wait() {
    local before
    use_webhook
    own_namespace
    new_migration 'name: m' >/dev/null
    before=$(webhook_metric waymark_http_requests_total)
    "$WM_BUILD/release/tests/kube_load" update "/apis/migration.openshift.io/v1alpha1/namespaces/$NAMESPACE/migmigrations/m" 1000
    assert_eq Phase999 "$(kubectl get migmigration m -n "$NAMESPACE" -o jsonpath='{.status.phase}')"
    assert_eq "$before" "$(webhook_metric waymark_http_requests_total)" 'calls to the webhook'
}

# an API server that asks in v1beta1 is answered in v1beta1
test_v1beta1() {
    own_namespace
    versions() {
        kubectl patch mutatingwebhookconfiguration waymark-labels --type=json \
            -p "[{\"op\":\"replace\",\"path\":\"/webhooks/0/admissionReviewVersions\",\"value\":$1}]" >/dev/null
    }
    versions '["v1beta1"]'
    sleep 1 # the API server reads the change a moment later
    new_migration 'name: m' >/dev/null
    versions '["v1","v1beta1"]'
    assert_label migmigration m $PLAN_KEY nginx-plan
}

# the same story with the original definitions of MTC and Velero
test_story_with_original_definitions() {
    use_real_crds
    kubectl delete "$STORY_KINDS",migplans --all -n "$NAMESPACE" >/dev/null 2>&1 || true
    FAILURE_POLICY=Fail webhook_up "$E2E_TEST_DIR" "$E2E_NAME-originals"
    story_all
    assert_story
}

# shellcheck shell=bash
# The objects of the demo, which many tests build on, are what real clusters hold.

every_object_is_there() {
    assert_eq 15 "$(kubectl get "$STORY_KINDS" -n "$NAMESPACE" -o name | wc -l)" 'objects of the story'
}

# the project's own definitions accept all objects of the demo and prune nothing of them
test_own_definitions() {
    story_all
    every_object_is_there
    assert_eq stage-nginx-deployment-6c79-gflm6 \
        "$(kubectl get podvolumebackup "${PVBS[0]}" -n "$NAMESPACE" -o jsonpath='{.spec.tags.pod}')" 'tag of the PodVolumeBackup'
    assert_eq gp3 "$(kubectl get directvolumemigration "$DVM" -n "$NAMESPACE" \
        -o jsonpath='{.spec.persistentVolumeClaims[1].targetStorageClass}')" 'class of the second claim'
}

# a migration must say whether it is a stage, and a condition of it must have a category
test_required_fields() {
    operator_namespace
    assert_contains spec.stage "$(refused kubectl create --validate=false -f - <<END
apiVersion: migration.openshift.io/v1alpha1
kind: MigMigration
metadata: {name: no-stage, namespace: $NAMESPACE}
spec: {}
END
    )"
    assert_contains category "$(refused kubectl create --validate=false -f - <<END
apiVersion: migration.openshift.io/v1alpha1
kind: MigMigration
metadata: {name: no-category, namespace: $NAMESPACE}
spec: {stage: true}
status: {conditions: [{type: Ready, status: "True", lastTransitionTime: "2026-11-21T00:00:00Z"}]}
END
    )"
}

# MTC's and Velero's kinds have no status subresource, VirtRigaud's have one
test_status_subresources() {
    local kind
    for kind in migplans.migration.openshift.io migmigrations.migration.openshift.io backups.velero.io \
        podvolumerestores.velero.io; do
        assert_eq null "$(kubectl get crd "$kind" -o json | jq -c '.spec.versions[0].subresources.status')" "status of $kind"
    done
    assert_eq '{}' "$(kubectl get crd vmmigrations.infra.virtrigaud.io -o json | jq -c '.spec.versions[0].subresources.status')"
}

# the original definitions accept all objects of the demo
test_original_definitions() {
    use_real_crds
    story_all
    every_object_is_there
}

# the project's own definitions have the names, versions and status subresources of the originals
test_definitions_agree() {
    local mine theirs
    facts() {
        kubectl get crd -o json | jq -c '.items[] | .spec as $s | {name: .metadata.name, kind: $s.names.kind,
            short: $s.names.shortNames, scope: $s.scope, versions: [$s.versions[] | {name, served, storage,
            status: .subresources.status}]}' | sort
    }
    mine=$(facts)
    use_real_crds
    theirs=$(facts)
    # Ours are some of theirs, each the same.
    assert_eq '' "$(comm -23 <(printf '%s\n' "$mine") <(printf '%s\n' "$theirs"))" 'what differs from the originals'
}

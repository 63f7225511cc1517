# shellcheck shell=bash
# The control plane under all other tests: that it is a real one, and that it is the one we mean.

# a namespace gets its service account, so the controller manager works
test_controllers() {
    own_namespace
    eventually 20 kubectl get serviceaccount default -n "$NAMESPACE"
}

# an empty string in a custom resource is a string, not a null
test_empty_string() {
    own_namespace
    kubectl create -f - >/dev/null <<END
apiVersion: velero.io/v1
kind: Restore
metadata: {name: empty, namespace: $NAMESPACE}
spec: {backupName: ""}
END
    assert_eq 1 "$(kubectl get restore empty -n "$NAMESPACE" -o json | jq '[.spec.backupName] | length')"
}

# what belongs to a deleted owner is collected
test_garbage_collection() {
    local owner
    own_namespace
    owner=$(kubectl create configmap owner -n "$NAMESPACE" -o jsonpath='{.metadata.uid}')
    kubectl create -f - >/dev/null <<END
apiVersion: v1
kind: ConfigMap
metadata:
  name: owned
  namespace: $NAMESPACE
  ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: owner, uid: $owner}]
END
    kubectl delete configmap owner -n "$NAMESPACE" >/dev/null
    eventually 30 absent configmap owned
}

# a second cluster runs beside the first, and neither sees the other's objects
test_two_clusters() {
    local first
    first=$(kubectl config current-context)
    own_namespace
    use_cluster second --no-controller-manager
    [[ $(kubectl config current-context) != "$first" ]] || fail 'the second cluster is the first'
    refused kubectl get namespace "$NAMESPACE" >/dev/null
    use_cluster ''
    kubectl get namespace "$NAMESPACE" >/dev/null
}

# an API server that was stopped comes back on the same port with the same objects
test_restart() {
    local before
    own_namespace
    before=$(kubectl config view --minify -o jsonpath='{.clusters[0].cluster.server}')
    cluster stop "$E2E_NAME"
    refused kubectl get namespace "$NAMESPACE" >/dev/null
    cluster start "$E2E_NAME"
    kubectl get namespace "$NAMESPACE" >/dev/null
    assert_eq "$before" "$(kubectl config view --minify -o jsonpath='{.clusters[0].cluster.server}')"
}

# an API server that is paused does not answer, and answers again when it goes on
test_pause() {
    cluster pause "$E2E_NAME"
    refused kubectl get --raw /readyz --request-timeout=1s >/dev/null
    cluster resume "$E2E_NAME"
    eventually 10 kubectl get --raw /readyz
}

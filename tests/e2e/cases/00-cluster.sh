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

# what was started beside a cluster, in a folder of its own, ends with it
test_company_ends() {
    local pid
    use_cluster company --no-controller-manager
    mkdir "$(dirname "$KUBECONFIG")/beside"
    spawn "$(dirname "$KUBECONFIG")/beside" sleeper sleep 300
    pid=$(pid_of "$(dirname "$KUBECONFIG")/beside" sleeper)
    cluster down "$E2E_NAME-company"
    assert_eq '' "$(proc_start "$pid" || true)" "start of process $pid, which should have ended"
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

# a stranger that got the pid of a process which ended is left alone
test_recycled_pid() {
    local pid
    spawn "$E2E_TEST_DIR" sleeper sleep 60
    pid=$(pid_of "$E2E_TEST_DIR" sleeper)
    cp "$E2E_TEST_DIR/sleeper.pid" "$E2E_TEST_DIR/true"
    # The same pid, recorded with a start time that is not its own.
    printf '%s 1 %s\n' "$pid" "$(</proc/sys/kernel/random/boot_id)" >"$E2E_TEST_DIR/sleeper.pid"
    end_processes "$E2E_TEST_DIR" sleeper
    kill -0 "$pid" || fail 'a process was ended that was not the recorded one'
    mv "$E2E_TEST_DIR/true" "$E2E_TEST_DIR/sleeper.pid"
    end_processes "$E2E_TEST_DIR" sleeper
    ! kill -0 "$pid" 2>/dev/null || fail 'the recorded process was not ended'
}

# a webhook behind a Service is called without kube-proxy, and its patch does not end the API server
test_service_webhook() {
    local agnhost services pid port
    # shellcheck source=tests/cluster/find.sh
    source "$WM_ROOT/tests/cluster/find.sh"
    agnhost=$(find_program agnhost) || skip 'there is no agnhost; ./dev cluster assets --with agnhost builds it'
    services=$(cluster env "$E2E_NAME" | sed -n 's/^SERVICES=//p')
    own_namespace
    new_ca "$E2E_TEST_DIR/ca" agnhost-ca
    new_certificate "$E2E_TEST_DIR/ca" "$E2E_TEST_DIR/pair" /CN=agnhost "DNS:agnhost.$NAMESPACE.svc"
    port=$(free_port)
    spawn "$E2E_TEST_DIR" agnhost "$agnhost" webhook --port "$port" --tls-cert-file "$E2E_TEST_DIR/pair.crt" \
        --tls-private-key-file "$E2E_TEST_DIR/pair.key"
    kubectl apply -f - >/dev/null <<END
apiVersion: v1
kind: Service
metadata: {name: agnhost, namespace: $NAMESPACE}
spec: {clusterIP: $services.20, ports: [{port: $port}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: $NAMESPACE}
webhooks:
- name: add-label.example.com
  clientConfig:
    caBundle: $(base64 -w0 "$E2E_TEST_DIR/ca.crt")
    service: {namespace: $NAMESPACE, name: agnhost, path: /add-label, port: $port}
  admissionReviewVersions: [v1]
  sideEffects: None
  objectSelector: {matchLabels: {wants: a-label}}
  rules: [{operations: [CREATE], apiGroups: [velero.io], apiVersions: ["*"], resources: [backups]}]
END
    # shellcheck disable=SC2317 # called by eventually
    labelled() {
        kubectl create -f - --dry-run=server -o json <<END | jq -e '.metadata.labels["added-label"] == "yes"'
apiVersion: velero.io/v1
kind: Backup
metadata: {name: b, namespace: $NAMESPACE, labels: {wants: a-label}}
spec: {}
END
    }
    pid=$(pid_of "$(cluster_dir)" apiserver)
    eventually 20 labelled
    kubectl delete mutatingwebhookconfiguration "$NAMESPACE" >/dev/null
    assert_eq "$pid" "$(pid_of "$(cluster_dir)" apiserver)" 'pid of the API server'
}

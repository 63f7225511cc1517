# shellcheck shell=bash disable=SC2016,SC2120
# VirtRigaud and the kubelets beside it, played by a test, in the namespace $NS of the cluster that rest speaks to. The rest
# is real: Deployments, ReplicaSets, the binding, protection and collecting of PVCs. What is written is what
# projectbeskar/virtrigaud's vmmigration_controller.go and provider_controller.go write, each time as one write of the whole.

# rest METHOD PATH [TYPE]: asks the API server as its administrator; the body of what is not GET or DELETE on stdin. A player
# writes hundreds of times, and a kubectl costs ten times as much as a curl.
rest() {
    local -a body=()
    [[ $1 == GET ]] || body=(-H "Content-Type: application/${3:-json}" --data-binary @-)
    curl -sS --fail-with-body --noproxy '*' --max-time 10 --cacert "$REST_DIR/pki/ca.crt" -H "@$REST_DIR/pki/admin.header" \
        -A virtrigaud-player -X "$1" "${body[@]}" "$REST_URL/$2"
}
# at RESOURCE [NAME]: where it is served
at() {
    local group
    case $1 in
        vmmigrations | providers) group=apis/infra.virtrigaud.io/v1beta1 ;;
        migrationreports) group=apis/waymark.io/v1alpha1 ;;
        deployments | replicasets) group=apis/apps/v1 ;;
        endpointslices*) group=apis/discovery.k8s.io/$(slices_version) ;;
        *) group=api/v1 ;;
    esac
    printf '%s\n' "$group/namespaces/$NS/$1${2:+/$2}"
}
# slices_version: of EndpointSlices, that this API server prefers
slices_version() { rest GET apis/discovery.k8s.io | jq -r .preferredVersion.version; }
see() { rest GET "$(at "$@")"; }
make() { rest POST "$(at "$1")" >/dev/null; }
# becomes RESOURCE NAME: gets that status, or what else is patched; JSON on stdin
becomes() { rest PATCH "$(at "$1" "$2")/status" "${3:-strategic-merge-patch+json}" >/dev/null; }
# change RESOURCE NAME FILTER [JQ_OPTION...]: reads it and writes all of it, as Go controllers do
change() {
    see "$1" "$2" | jq "$3" "${@:4}" | rest PUT "$(at "$1" "$2")" >/dev/null
}
remove() { rest DELETE "$(at "$1" "$2")" <<<'{"propagationPolicy": "Background"}' >/dev/null; }
rfc3339() { date -u +%Y-%m-%dT%H:%M:%SZ; }
uid_in() { see "$1" "$2" | jq -r .metadata.uid; }

# --- providers ---

deployment_of() { printf 'virtrigaud-provider-%s-%s\n' "$NS" "$1"; }
# provider NAME TYPE [IMAGE]: one that serves, with its Deployment, its Service and a Ready pod on node n1; STRATEGY names another
# than the default one
provider() {
    provider_made "$@"
    eventually 20 serves "$1" n1
    eventually 20 called "$1"
}
# provider_made NAME TYPE [IMAGE]: the same, and its pods are somebody else's
provider_made() {
    local uid
    jq -n --arg name "$1" --arg type "$2" --arg image "${3:-registry.example.com/provider-$2:v1}" '{
        apiVersion: "infra.virtrigaud.io/v1beta1", kind: "Provider", metadata: {name: $name},
        spec: {type: $type, endpoint: "https://\($name).example.com", credentialSecretRef: {name: "credentials"},
            runtime: {image: $image, service: {port: 9443}}}}' | make providers
    uid=$(uid_in providers "$1")
    service_yaml "$1" "$uid" | make services
    deployment_yaml "$1" "$2" "$uid" "${3:-registry.example.com/provider-$2:v1}" | make deployments
    provider_is "$1" DeploymentReady
}
# service_yaml NAME UID
service_yaml() {
    jq -n --arg name "$1" --arg uid "$2" --arg ns "$NS" '
        {"app.kubernetes.io/name": "virtrigaud-provider", "app.kubernetes.io/instance": $name} as $selector | {
        apiVersion: "v1", kind: "Service", metadata: {name: "virtrigaud-provider-\($ns)-\($name)", labels: $selector,
            ownerReferences: [{apiVersion: "infra.virtrigaud.io/v1beta1", kind: "Provider", name: $name, uid: $uid,
                controller: true, blockOwnerDeletion: true}]},
        spec: {$selector, ports: [{name: "grpc", port: 9443, targetPort: 9443}]}}'
}
# deployment_yaml NAME TYPE UID IMAGE
deployment_yaml() {
    jq -n --arg name "$1" --arg type "$2" --arg uid "$3" --arg image "$4" --arg ns "$NS" --arg strategy "${STRATEGY:-}" '
        {"app.kubernetes.io/name": "virtrigaud-provider", "app.kubernetes.io/instance": $name} as $selector | {
        apiVersion: "apps/v1", kind: "Deployment", metadata: {name: "virtrigaud-provider-\($ns)-\($name)",
            labels: ($selector + {"app.kubernetes.io/component": "provider", "app.kubernetes.io/managed-by": "virtrigaud",
                "virtrigaud.io/provider-type": $type}),
            ownerReferences: [{apiVersion: "infra.virtrigaud.io/v1beta1", kind: "Provider", name: $name, uid: $uid,
                controller: true, blockOwnerDeletion: true}]},
        spec: ({replicas: 1, selector: {matchLabels: $selector}, template: {metadata: {labels: $selector}, spec: {
            terminationGracePeriodSeconds: 30, volumes: [{name: "tmp", emptyDir: {}}],
            securityContext: {runAsUser: 65532, runAsNonRoot: true},
            containers: [{name: "provider", image: $image, volumeMounts: [{name: "tmp", mountPath: "/tmp"}],
                lifecycle: {preStop: {exec: {command: ["sh", "-c", "sleep 15"]}}},
                readinessProbe: {httpGet: {path: "/healthz", port: 8080}, initialDelaySeconds: 5, periodSeconds: 10},
                livenessProbe: {httpGet: {path: "/healthz", port: 8080}, initialDelaySeconds: 15, periodSeconds: 20},
                securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false}}]}}} +
            if $strategy == "" then {} else {strategy: {type: $strategy}} end)}'
}
# provider_is NAME REASON: its status as the controller writes it, whole, with the condition that is set once for ever
provider_is() {
    change_status providers "$1" '.status = {healthy: true, lastHealthCheck: $now, runtime: {phase: "Running"}, conditions: [
        {type: "ProviderAvailable", status: "True", reason: "RemoteAvailable", message: "Provider is available"},
        {type: "ProviderRuntimeReady", status: (if $reason == "DeploymentReady" then "True" else "False" end), $reason,
            message: "Deployment"} | . + {lastTransitionTime: $now}]}' --arg reason "$2"
}
change_status() {
    see "$1" "$2" | jq --arg now "$(rfc3339)" "${@:4}" "$3" | rest PUT "$(at "$1" "$2")/status" >/dev/null
}

# roll [CLAIM...]: puts exactly these PVCs, in this order, into the template of every provider of the namespace; without any,
# those that are labelled so and are not being deleted
roll() {
    local name claims=("$@")
    (($#)) || mapfile -t claims < <(see 'persistentvolumeclaims?labelSelector=virtrigaud.io/component=migration-storage' |
        jq -r '.items[].metadata | select(.deletionTimestamp | not) | .name')
    for name in $(see providers | jq -r '.items[].metadata.name'); do
        eventually 10 mounts "$name" "${claims[@]}"
    done
}
# mounts PROVIDER [CLAIM...]
mounts() {
    change deployments "$(deployment_of "$1")" '(.spec.template.spec) |= (
        .volumes = [.volumes[] | select(.persistentVolumeClaim | not)] + [$ARGS.positional[] |
            {name: "migration-\(.)", persistentVolumeClaim: {claimName: .}}] |
        .containers[0].volumeMounts = [.containers[0].volumeMounts[] | select(.name | startswith("migration-") | not)] +
            [$ARGS.positional[] | {name: "migration-\(.)", mountPath: "/mnt/migration-storage/\(.)"}])' --args "${@:2}"
}

# --- what kubelets do with the providers' pods ---

# pods_of PROVIDER FILTER: the pods of the current revision ($new true), or of others, as lines of JSON
pods_of() {
    local current
    current=$(see replicasets | jq -r --arg p "$1" '[.items[] | select(.metadata.labels["app.kubernetes.io/instance"] == $p)] |
        max_by(.metadata.annotations["deployment.kubernetes.io/revision"] // "0" | tonumber) |
        .metadata.labels["pod-template-hash"]') || return
    see pods | jq -c --arg p "$1" --arg current "$current" '.items[] |
        select(.metadata.labels["app.kubernetes.io/instance"] == $p) |
        (.metadata.labels["pod-template-hash"] == $current) as $new | (.metadata.deletionTimestamp != null) as $going |
        select('"$2"')'
}
# new_pod PROVIDER: the name of that of the current template, once its ReplicaSet has made it
new_pod() {
    local name
    name=$(rolled "$1" && pods_of "$1" '$new and ($going | not)' | jq -rs '.[0].metadata.name // empty') && [[ -n $name ]] &&
        printf '%s\n' "$name"
}
# rolled PROVIDER: the Deployment controller has seen the last template
rolled() {
    see deployments "$(deployment_of "$1")" | jq -e '.status.observedGeneration >= .metadata.generation' >/dev/null
}
# pod_on POD NODE: the scheduler's choice, once
pod_on() {
    see pods "$1" | jq -e '.spec.nodeName' >/dev/null && return
    jq -n --arg name "$1" --arg node "$2" '{apiVersion: "v1", kind: "Binding", metadata: {$name},
        target: {apiVersion: "v1", kind: "Node", name: $node}}' | make bindings
}
# waits PROVIDER NODE REASON [MESSAGE [MORE]]: its new pod is there, and its container waits; MORE: further members of it
waits() {
    local pod
    pod=$(new_pod "$1") && pod_on "$pod" "$2" || return
    jq -n --arg reason "$3" --arg message "${4:-}" --argjson more "${5:-{\}}" --arg now "$(rfc3339)" '{status: {
        phase: "Pending", startTime: $now, conditions: [
            {type: "Ready", status: "False", reason: "ContainersNotReady", lastTransitionTime: $now}],
        containerStatuses: [{name: "provider", ready: false, restartCount: 0, image: "", imageID: "",
            state: {waiting: {$reason, $message}}} + $more]}}' | becomes pods "$pod"
}
# unplaced PROVIDER MESSAGE: its new pod is there, and gets no node
unplaced() {
    local pod
    pod=$(new_pod "$1") || return
    jq -n --arg message "$2" --arg now "$(rfc3339)" '{status: {phase: "Pending", conditions: [{type: "PodScheduled", status: "False",
        reason: "Unschedulable", $message, lastTransitionTime: $now}]}}' | becomes pods "$pod"
}
# serves PROVIDER NODE: its new pod is Ready
serves() {
    local pod
    pod=$(new_pod "$1") && pod_on "$pod" "$2" || return
    jq -n --arg now "$(rfc3339)" --arg ip "10.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1))" '{status: {
        phase: "Running", startTime: $now, podIP: $ip, podIPs: [{$ip}], conditions: [
            {type: "Ready", status: "True", reason: "", lastTransitionTime: $now}],
        containerStatuses: [{name: "provider", ready: true, restartCount: 0, image: "provider", imageID: "provider",
            state: {running: {startedAt: $now}}}]}}' | becomes pods "$pod"
}
# slices_of PROVIDER: of its Service, those that lead to its new pod, as lines of JSON
slices_of() {
    local pod
    pod=$(new_pod "$1") || return
    see "endpointslices?labelSelector=kubernetes.io/service-name=$(deployment_of "$1")" | jq -c --arg pod "$pod" '.items[] |
        select(any(.endpoints[]?; .targetRef.name == $pod and .conditions.ready != false))'
}
# called PROVIDER: its Service leads to its new pod; called_since PROVIDER: since when
called() { slices_of "$1" | grep -q .; }
called_since() { slices_of "$1" | jq -s 'map(.metadata.managedFields[].time | fromdate) | max'; }
# selects PROVIDER INSTANCE: its Service leads to the pods of that one
selects() {
    change services "$(deployment_of "$1")" '.spec.selector["app.kubernetes.io/instance"] = $instance' --arg instance "$2"
}
# leaving PROVIDER: its old pods have been told to end; ended PROVIDER: and have ended
leaving() { pods_of "$1" '$going' | grep -q .; }
ended() {
    local pod
    for pod in $(pods_of "$1" '$going' | jq -r .metadata.name); do
        rest DELETE "$(at pods "$pod")" <<<'{"gracePeriodSeconds": 0}' >/dev/null
    done
}
# replaced PROVIDER...: their new pods come up beside the old ones, and these end
replaced() {
    local name
    for name; do eventually 20 serves "$name" n1; done
    for name; do eventually 20 leaving "$name"; done
    for name; do eventually 20 called "$name"; done # the preStop hook of the old ones leaves time for that
    for name; do ended "$name"; done
    for name; do eventually 20 rolled_out "$name"; done
}
# rolled_out PROVIDER: kubectl rollout status would be content
rolled_out() {
    see deployments "$(deployment_of "$1")" | jq -e '.spec.replicas as $n | .status | .replicas == $n and
        .updatedReplicas == $n and .availableReplicas == $n and .observedGeneration >= 1' >/dev/null && rolled "$1"
}
# drained PROVIDER: its old pods are evicted from their nodes, at once
drained() {
    local pod
    for pod in $(pods_of "$1" '($new | not)' | jq -r .metadata.name); do
        rest DELETE "$(at pods "$pod")" <<<'{"gracePeriodSeconds": 0}' >/dev/null
    done
}
# warns KIND RESOURCE NAME REASON MESSAGE [COUNT]: a Warning about it
warns() {
    jq -n --arg now "$(rfc3339)" --arg kind "$1" --arg ns "$NS" --arg name "$3" --arg uid "$(uid_in "$2" "$3")" --arg reason "$4" \
        --arg message "$5" --argjson count "${6:-1}" '{apiVersion: "v1", kind: "Event", metadata: {generateName: "\($name)."},
        type: "Warning", involvedObject: {apiVersion: "v1", $kind, namespace: $ns, $name, $uid}, $reason, $message,
        source: {component: "kubelet"}, firstTimestamp: $now, lastTimestamp: $now, $count}' | make events
}

# --- migrations ---

# volume CLAIM [MODE]: a PersistentVolume that waits for that PVC, so that it will be Bound
volume() {
    jq -n --arg ns "$NS" --arg claim "$1" --arg mode "${2:-ReadWriteMany}" '{apiVersion: "v1", kind: "PersistentVolume",
        metadata: {name: "pv-\($ns)-\($claim)"}, spec: {capacity: {storage: "50Gi"}, accessModes: [$mode], storageClassName: "nfs",
            persistentVolumeReclaimPolicy: "Retain", nfs: {server: "nfs.example.com", path: "/\($claim)"},
            claimRef: {apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: $ns, name: $claim}}}' |
        rest POST api/v1/persistentvolumes >/dev/null
}
# vm_migration NAME [SPEC]: by a user, from vs to lv; SPEC is merged into its spec
vm_migration() {
    jq -n --arg name "$1" --argjson more "${2:-{\}}" '{apiVersion: "infra.virtrigaud.io/v1beta1", kind: "VMMigration",
        metadata: {$name}, spec: ({source: {vmRef: {$name}, providerRef: {name: "vs"}}, target: {$name, providerRef: {name: "lv"}},
            storage: {type: "pvc", pvc: {storageClassName: "nfs", size: "50Gi"}}} * $more)}' | make vmmigrations
    rm -f "$E2E_TEST_DIR/$NS-$1.status"
    change vmmigrations "$1" '.metadata.finalizers = ["vmmigration.infra.virtrigaud.io/finalizer"]'
}
# vm_write NAME FILTER [JQ_OPTION...]: the controller changes its own copy of the status, and writes it: what others have put
# in meanwhile stays, but is lost where $CONFLICT is set, as after a conflict
vm_write() {
    local own=$E2E_TEST_DIR/$NS-$1.status
    [[ -e $own ]] || printf '{}\n' >"$own"
    jq --arg now "$(rfc3339)" "${@:3}" "$VM_WORDS $2" "$own" >"$own.new"
    mv "$own.new" "$own"
    eventually 5 vm_put "$1" "$own"
}
# As its SetCondition: the time changes with the message, too.
VM_WORDS='def is($type; $status; $reason; $message): {$type, $status, $reason, $message} as $new |
    if any(.conditions[]?; del(.lastTransitionTime) == $new) then . else .conditions = [.conditions[]? |
        select(.type != $type)] + [$new + {lastTransitionTime: $now}] end;'
vm_put() {
    change_status vmmigrations "$1" '($own[0].conditions // [] | map(.type)) as $types | .status = ($own[0] | .conditions +=
        [($foreign[] | select($conflict == "")) | select(.type | IN($types[]) | not)])' --slurpfile own "$2" \
        --arg conflict "${CONFLICT:-}" --argjson foreign "$(see vmmigrations "$1" | jq -c '.status.conditions // []')"
}
# vm_begins NAME: a worker has taken it up
vm_begins() {
    vm_write "$1" '.phase = "Validating" | .message = "Starting validation" | .startTime //= $now |
        is("Validating"; "True"; "ValidationStarted"; "Starting migration validation")'
}
# vm_claim NAME [MODE [CLASS]]: makes its PVC, and says so
vm_claim() {
    jq -n --arg name "$1" --arg uid "$(uid_in vmmigrations "$1")" --arg mode "${2:-ReadWriteMany}" --arg class "${3:-nfs}" '{
        apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: {name: "\($name)-storage",
            labels: {"app.kubernetes.io/managed-by": "virtrigaud", "virtrigaud.io/migration": $name,
                "virtrigaud.io/component": "migration-storage"},
            annotations: {"virtrigaud.io/created-by": "vmmigration-controller"},
            ownerReferences: [{apiVersion: "infra.virtrigaud.io/v1beta1", kind: "VMMigration", $name, $uid, controller: true,
                blockOwnerDeletion: true}]},
        spec: {accessModes: [$mode], storageClassName: $class, resources: {requests: {storage: "50Gi"}}}}' |
        make persistentvolumeclaims
    vm_write "$1" '.storagePVCName = "\($name)-storage"' --arg name "$1"
}
# vm_waits NAME [WHY]: for its providers to mount the PVC
vm_waits() {
    vm_write "$1" '"Waiting for providers to mount migration storage: \($why)" as $text | .phase = "Validating" | .message = $text |
        is("Validating"; "False"; "WaitingForStorageMount"; $text)' \
        --arg why "${2:-source: no Ready pod with the migration PVC mounted yet}"
}
# vm_exports NAME, vm_imports NAME: its disk is being copied
vm_exports() {
    vm_write "$1" '.phase = "Exporting" | .message = "Preparing to export source VM" |
        is("Validating"; "True"; "ValidationComplete"; "Validation complete") |
        is("Snapshotting"; "True"; "SnapshotComplete"; "Snapshot created") | .snapshotID = "snap-1"'
}
vm_imports() {
    vm_write "$1" '.phase = "Importing" | .message = "Importing disk" | .exportID = "export-1" |
        is("Exporting"; "True"; "ExportComplete"; "Disk export complete")'
}
vm_creates() {
    vm_write "$1" '.phase = "Creating" | .message = "Creating target VM" | .importID = "import-1" |
        is("Importing"; "True"; "ImportComplete"; "Disk import complete")'
}
# vm_ready NAME [FILTER], vm_fails NAME MESSAGE: its end
vm_ready() {
    vm_write "$1" '.phase = "Ready" | .message = "Migration completed successfully" | .completionTime = $now |
        is("Ready"; "True"; "MigrationComplete"; .message) | '"${2:-.}"
}
vm_fails() {
    vm_write "$1" '.phase = "Failed" | .message = $text | .completionTime = $now | is("Failed"; "True"; "MigrationFailed"; $text) |
        is("Ready"; "False"; "MigrationFailed"; $text)' --arg text "$2"
}
# vm_retries NAME: begins again; what the end left behind stays
vm_retries() {
    vm_write "$1" '.phase = "Pending" | .message = "Retrying migration" | .retryCount = (.retryCount // 0) + 1 |
        .lastRetryTime = $now | is("Failed"; "False"; "Retrying"; "Retrying migration (attempt \(.retryCount))")'
}
# vm_deleted NAME [CLAIM]: a user deletes it; the controller deletes its PVC and lets it go
vm_deleted() {
    remove vmmigrations "$1"
    remove persistentvolumeclaims "${2:-$1-storage}"
    change vmmigrations "$1" '.metadata.finalizers = []'
}
gone() { ! see "$@" >/dev/null 2>&1; }

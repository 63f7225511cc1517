# shellcheck shell=bash disable=SC2016,SC2034,SC2119,SC2120
# Three control planes, host, source and target, with the aggregator beside them, for the cases about it. Sourced by a case;
# kubectl speaks to the host, and `on CLUSTER COMMAND...` to another. What mig-controller and Velero do is played by mig_* and
# velero_*, each as one write of the whole object, as theirs are.

AGGREGATOR=${WAYMARK_AGGREGATOR:-$WM_BUILD/release/aggregator/waymark-aggregator}
TYPES=migmigrations,migplans,migclusters,directvolumemigrations,directvolumemigrationprogresses,backups,restores,podvolumebackups,podvolumerestores

fleet_name() { printf '%s-agg-%s\n' "$E2E_NAME" "$1"; }
# on CLUSTER COMMAND...
on() {
    local -x KUBECONFIG
    KUBECONFIG=$(cluster_dir "$(fleet_name "$1")")/kubeconfig
    "${@:2}"
}

# fleet_up: the three, started at first use, each with the definitions and mig-controller's namespace; for case_begin. Nobody
# collects garbage and nobody writes by himself on them: what is written is the test's or the aggregator's. Who wrote to
# MigMigrations, and when, is in $FLEET_AUDIT.
FLEET_AUDIT=$E2E_DIR/fleet-audit.log
fleet_up() {
    local name options
    audit_policy >"$E2E_DIR/fleet-audit.yaml"
    for name in host source target; do
        options=(--no-controller-manager --apiserver-arg=--disable-admission-plugins=ServiceAccount)
        [[ $name != host ]] || options+=("--apiserver-arg=--audit-policy-file=$E2E_DIR/fleet-audit.yaml"
            "--apiserver-arg=--audit-log-path=$FLEET_AUDIT")
        cluster up "$(fleet_name "$name")" "${options[@]}" >/dev/null
        on "$name" fleet_prepare
    done
    on host apply_crds "$WM_ROOT/manifests/base/migrationreport-crd.yaml"
}
audit_policy() {
    cat <<END
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [update, patch]
  resources: [{group: migration.openshift.io, resources: [migmigrations]}]
- level: None
END
}
fleet_prepare() {
    local name
    kubectl get namespace openshift-migration >/dev/null 2>&1 && return
    apply_crds "$WM_ROOT/tests/crds"
    for name in openshift-migration openshift-config nginx-example; do kubectl create namespace "$name" >/dev/null; done
}

# fleet: for the beginning of each test: kubectl speaks to the host, and nothing is left of the test before
fleet() {
    local name
    for name in source target; do on "$name" fleet_clear "$TYPES,pods"; done
    KUBECONFIG=$(cluster_dir "$(fleet_name host)")/kubeconfig
    export KUBECONFIG
    fleet_clear "$TYPES,migrationreports,events,leases"
    kubectl delete secrets --all -n openshift-config >/dev/null
}
fleet_clear() {
    kubectl delete "$1" --all -n openshift-migration --grace-period=0 --force >/dev/null 2>&1
    kubectl delete pods --all -n nginx-example --grace-period=0 --force >/dev/null 2>&1
}

# --- the way to a cluster ---

url_of() { cluster env "$(fleet_name "$1")" | sed -n 's/^URL=//p'; }
# new_token CLUSTER ACCOUNT: a token of a service account there, who may do everything, as that of mig-controller
new_token() {
    on "$1" kubectl create serviceaccount "$2" -n openshift-migration >/dev/null 2>&1 || true
    on "$1" kubectl create clusterrolebinding "$2" --clusterrole=cluster-admin \
        --serviceaccount="openshift-migration:$2" >/dev/null 2>&1 || true
    on "$1" kubectl create token "$2" -n openshift-migration
}
# token_secret CLUSTER TOKEN: puts it where the MigCluster says
token_secret() {
    kubectl create secret generic "$1-token" -n openshift-config --from-literal=saToken="$2" --dry-run=client -o yaml |
        kubectl apply -f - >/dev/null 2>&1
}
host_migcluster() {
    kubectl create -f - >/dev/null <<END
apiVersion: migration.openshift.io/v1alpha1
kind: MigCluster
metadata: {name: host, namespace: openshift-migration}
spec: {isHostCluster: true}
END
}
# migcluster CLUSTER: with its own CA
migcluster() {
    kubectl create -f - >/dev/null <<END
apiVersion: migration.openshift.io/v1alpha1
kind: MigCluster
metadata: {name: $1, namespace: openshift-migration}
spec:
  isHostCluster: false
  url: $(url_of "$1")
  caBundle: $(base64 -w0 "$(cluster_dir "$(fleet_name "$1")")/pki/ca.crt")
  serviceAccountSecretRef: {name: $1-token, namespace: openshift-config}
END
}
# connected: all three, as mig-controller knows them
connected() {
    local name
    host_migcluster
    for name in source target; do
        token_secret "$name" "$(new_token "$name" migration-controller)"
        migcluster "$name"
    done
}

# --- the aggregator ---

# aggregator [NAME [FLAG...]]: starts one, and waits until it has seen the host
aggregator() {
    local name=${1:-aggregator}
    free_port >"$E2E_TEST_DIR/$name.port"
    spawn "$E2E_TEST_DIR" "$name" "$AGGREGATOR" run --kubeconfig "$KUBECONFIG" --namespace openshift-migration \
        --health-listen "127.0.0.1:$(<"$E2E_TEST_DIR/$name.port")" --leader-election=false "${@:2}"
    eventually 20 page readyz "$name"
}
# page PATH [NAME]
page() { curl -sS --fail --noproxy '*' --max-time 5 "http://127.0.0.1:$(<"$E2E_TEST_DIR/${2:-aggregator}.port")/$1"; }
# metric NAME [AGGREGATOR]: its value
metric() { page metrics "${2:-}" | awk -v name="$1" '$1 == name { print $2 }'; }
cluster_is() { page readyz | grep -q "cluster $1: $2"; }
fleet_good() { cluster_is source good && cluster_is target good; }

# --- what mig-controller does, on the host ---

# plan NAME SOURCE TARGET
plan() {
    kubectl create -f - >/dev/null <<END
apiVersion: migration.openshift.io/v1alpha1
kind: MigPlan
metadata: {name: $1, namespace: openshift-migration}
spec:
  srcMigClusterRef: {name: $2, namespace: openshift-migration}
  destMigClusterRef: {name: $3, namespace: openshift-migration}
  namespaces: [nginx-example]
END
}
# migration NAME PLAN [FIELDS]: creates one, a stage migration or what the fields of its spec say, and prints its uid
migration() {
    kubectl create -f - -o jsonpath='{.metadata.uid}' <<END
apiVersion: migration.openshift.io/v1alpha1
kind: MigMigration
metadata: {name: $1, namespace: openshift-migration}
spec: {migPlanRef: {name: $2, namespace: openshift-migration}, ${3:-stage: true}}
END
}

rfc3339() { date -u +%Y-%m-%dT%H:%M:%SZ; }
mig_object() { kubectl get migmigration "$1" -n openshift-migration -o json; }
# mig_write MIGRATION FILTER [JQ_OPTION...]: a round of mig-controller, with its stamp; again when somebody was faster
mig_write() { eventually 5 mig_put "$@"; }
mig_put() {
    mig_object "$1" | jq --arg now "$(rfc3339)" --arg touch "$BASHPID-$EPOCHREALTIME" "${@:3}" \
        "$2 | .metadata.annotations[\"openshift.io/touch\"] = \$touch" | kubectl replace -f -
}
# mig_phase MIGRATION PHASE [STEP]: it went on to PHASE of a stage migration, or of the $ITINERARY
mig_phase() {
    mig_write "$1" '.status.phase = $phase | .status.itinerary = $itinerary | .status.startTimestamp //= $now |
        .status.conditions = [(.status.conditions // [])[] | select(.type != "Running")] + [{type: "Running",
            status: "True", category: "Advisory", reason: $phase, message: $step, lastTransitionTime: $now}]' \
        --arg phase "$2" --arg step "Step: ${3:-30/38}" --arg itinerary "${ITINERARY:-Stage}"
}
# mig_round MIGRATION: a round that left everything as it was; in its sleep after that the aggregator may write
mig_round() { mig_write "$1" .; }
# mig_end MIGRATION TYPE REASON [FILTER]: it is over, with the condition TYPE
mig_end() {
    mig_write "$1" '.status.phase = "Completed" | '"${4:-.}"' |
        .status.conditions = [(.status.conditions // [])[] | select(.type != "Running")] + [{type: $type, durable: true,
            status: "True", category: "Advisory", reason: $reason, message: "It is over.", lastTransitionTime: $now}]' \
        --arg type "$2" --arg reason "$3"
}

# --- what Velero does ---

# velero_is CLUSTER KIND NAME STATUS: writes the status, JSON with $now for the time
velero_is() {
    on "$1" kubectl patch "$2" "$3" -n openshift-migration --type merge -p "{\"status\": ${4//\$now/\"$(rfc3339)\"}}" >/dev/null
}

# backed_up: the stage Backup on the source of the migration $UID_M with two volumes, completed; sets BACKUP
backed_up() {
    BACKUP=$(on source story_create backup-stage MIGRATION_UID="$UID_M")
    local uid pvb volume
    uid=$(on source story_uid backup "$BACKUP")
    for volume in nginx-html nginx-logs; do
        pvb=$(on source story_create podvolumebackup BACKUP="$BACKUP" BACKUP_UID="$uid" VOLUME="$volume")
        velero_is source podvolumebackup "$pvb" \
            '{"phase": "Completed", "completionTimestamp": $now, "progress": {"bytesDone": 1000, "totalBytes": 1000}}'
    done
    velero_is source backup "$BACKUP" '{"phase": "Completed", "progress": {"itemsBackedUp": 14, "totalItems": 14},
        "startTimestamp": $now, "completionTimestamp": $now}'
}
# synced: its copy on the target
synced() {
    on source kubectl get backup "$BACKUP" -n openshift-migration -o json |
        jq 'del(.metadata.uid, .metadata.resourceVersion, .metadata.creationTimestamp)' |
        on target kubectl create -f - >/dev/null
}

# --- what kubelets and Kubernetes' controllers do ---

ago() { date -u -d "-$1 seconds" +%Y-%m-%dT%H:%M:%SZ; }
# made CLUSTER: Kubernetes' own objects, YAML on stdin, with their status
made() {
    local objects
    objects=$(cat)
    on "$1" kubectl create -f - <<<"$objects" >/dev/null && becomes "$1" <<<"$objects"
}
# becomes CLUSTER: the same objects with another status; labels and finalizers are written with it
becomes() { on "$1" kubectl replace --subresource=status -f - >/dev/null; }
# warns CLUSTER KIND NAME REASON MESSAGE: a Warning about it, in the application's namespace
warns() {
    local uid
    uid=$(on "$1" uid_of "$2" "$3" nginx-example) || return
    jq -n --arg now "$(rfc3339)" --arg kind "$2" --arg name "$3" --arg uid "$uid" --arg reason "$4" --arg message "$5" \
        '{apiVersion: "v1", kind: "Event", metadata: {generateName: "\($name).", namespace: "nginx-example"}, type: "Warning",
        involvedObject: {apiVersion: "v1", kind: $kind, namespace: "nginx-example", name: $name, uid: $uid}, $reason,
        $message, source: {component: "kubelet"}, firstTimestamp: $now, lastTimestamp: $now, count: 1}' |
        on "$1" kubectl create -f - >/dev/null
}

# --- what the aggregator says ---

condition() { mig_object "$1" | jq -c --arg type "$2" '.status.conditions[]? | select(.type == $type)'; }
verdict() { mig_object "$1" | jq -r '.metadata.annotations["waymark.io/verdict"] // ""'; }
report() { kubectl get migrationreport "$1" -n openshift-migration -o json; }
# holds JSON FILTER [JQ_OPTION...]: the filter is true of it; shows it if not. No JSON is nothing that anything is true of.
holds() { jq -e "$2" "${@:3}" <<<"${1:-null}" >/dev/null || { say "$1" && return 1; }; }
# says MIGRATION TYPE REASON [PART]: the condition has that reason, and PART in its message
says() {
    holds "$(condition "$1" "$2")" '.reason == $r and (.message | contains($p))' --arg r "$3" --arg p "${4:-}"
}
# polled COMMAND...: mig-controller finds in another round that nothing has changed, and then COMMAND must succeed; for
# eventually
polled() {
    mig_round "$MIGRATION"
    sleep 1
    "$@"
}
# reported MIGRATION FILTER [JQ_OPTION...]: the filter is true of its report
reported() { holds "$(report "$1" | jq -c .status)" "${@:2}"; }
# events_of MIGRATION: a line an Event: reason, type and how often
events_of() {
    kubectl get events.events.k8s.io -n openshift-migration -o json | jq -r --arg name "$1" '.items[] |
        select(.regarding.name == $name) | "\(.reason) \(.type) \(.series.count // 1)"'
}

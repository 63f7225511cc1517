# shellcheck shell=bash disable=SC2016,SC2034,SC2119
# One control plane with the real controllers, the aggregator beside it, and VirtRigaud played by the test: for the cases about
# restarts of providers. Sourced by a case; the tests work side by side, each scenario in a namespace of its own, $NS.
# shellcheck source=tests/e2e/virtrigaud.sh
source "$WM_ROOT/tests/e2e/virtrigaud.sh"

PROVIDERS=$E2E_NAME-vm
PROVIDERS_AUDIT=$E2E_DIR/providers-audit.log
# Seconds that real restarts take minutes for. VirtRigaud's own 300 for the mount cannot be shortened.
PROVIDERS_SETTINGS=(--thresholds 'signal=2,startup=5,queue=5,quiet=8,rollout=20,tidy=8' --gaps 'typical=2,worst-case=7,outage=12')

# providers_up: the control plane, started at first use, and an aggregator for this case; for case_begin. Nodes are played, too:
# the controllers that look after them and after pods without one would take the pods away.
providers_up() {
    local name
    providers_audit_policy >"$E2E_DIR/providers-audit.yaml"
    cluster up "$PROVIDERS" --apiserver-arg=--disable-admission-plugins=ServiceAccount \
        --apiserver-arg=--audit-policy-file="$E2E_DIR/providers-audit.yaml" \
        --apiserver-arg=--audit-log-path="$PROVIDERS_AUDIT" \
        --controller-manager-arg='--controllers=*,-nodelifecycle,-nodeipam,-podgc,-attachdetach' >/dev/null
    providers
    if ! kubectl get namespace openshift-migration >/dev/null 2>&1; then
        apply_crds "$WM_ROOT/tests/crds" "$WM_ROOT/manifests/base/migrationreport-crd.yaml"
        kubectl create namespace openshift-migration >/dev/null
        providers_surroundings | kubectl create -f - >/dev/null
        for name in n1 n2 n3; do kubectl patch node "$name" --type merge -p '{"spec": {"taints": []}}' >/dev/null; done
    fi
    run_aggregator
}
run_aggregator() {
    start_aggregator "$E2E_CASE_DIR" aggregator --kubeconfig "$KUBECONFIG" --namespace openshift-migration \
        --leader-election=false "${PROVIDERS_SETTINGS[@]}"
    eventually 20 aggregator_ready
}
providers_audit_policy() {
    cat <<END
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [update, patch]
  resources: [{group: infra.virtrigaud.io, resources: [vmmigrations, vmmigrations/status]}]
- level: None
END
}
providers_surroundings() {
    local name
    for name in n1 n2 n3; do
        printf -- '---\n{apiVersion: v1, kind: Node, metadata: {name: %s}, status: {conditions: [{type: Ready, status: "True",
            reason: KubeletReady, message: kubelet is posting ready status, lastTransitionTime: "%s"}]}}\n' "$name" "$(rfc3339)"
    done
    printf -- '---\n{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: nfs}, provisioner: example.com/nfs}\n'
}

# providers: for the beginning of each test: kubectl and rest speak to that cluster, and the aggregator is the case's
providers() {
    REST_DIR=$(cluster_dir "$PROVIDERS")
    REST_URL=$(cluster env "$PROVIDERS" | sed -n 's/^URL=//p')
    KUBECONFIG=$REST_DIR/kubeconfig
    export KUBECONFIG
    [[ ! -e $E2E_CASE_DIR/aggregator.env ]] || source "$E2E_CASE_DIR/aggregator.env"
}

# side_by_side SCENARIO...: runs these functions at once, each in the namespace vm-SCENARIO; fails when one of them does
side_by_side() {
    local name failed='' i
    local -a pids=()
    for name; do
        NS=vm-${name//_/-}
        kubectl create namespace "$NS" >/dev/null
        ("$name") >"$E2E_TEST_DIR/$name.out" 2>&1 &
        pids+=($!)
    done
    for ((i = 1; i <= $#; i++)); do
        wait "${pids[i - 1]}" && continue
        failed+=" ${!i}"
        say "--- ${!i}" && cat "$E2E_TEST_DIR/${!i}.out" >&2
    done
    [[ -z $failed ]] || fail "failed:$failed"
}

# three_providers: vs and lv, between which migrations go, and px, which has nothing to do with them
three_providers() {
    provider vs vsphere
    provider lv libvirt
    provider px proxmox "${1:-}"
}

# --- what the aggregator says ---

# holds JSON FILTER [JQ_OPTION...]: the filter is true of it; shows it if not
holds() { jq -e "$2" "${@:3}" <<<"${1:-null}" >/dev/null || { say "$1" && return 1; }; }
condition() { see vmmigrations "$1" | jq -c --arg type "$2" '.status.conditions[]? | select(.type == $type)'; }
# says MIGRATION TYPE REASON [PART...]: the condition has that reason, and all PARTs in its message
says() {
    holds "$(condition "$1" "$2")" '.reason == $r and (.message as $m | all($ARGS.positional[]; . as $p | $m | contains($p)))' \
        --arg r "$3" --args "${@:4}"
}
# says_status MIGRATION TYPE STATUS
says_status() { holds "$(condition "$1" "$2")" '.status == $s' --arg s "$3"; }
no_condition() { [[ -z $(condition "$1" "$2") ]]; }
reported() { holds "$(see migrationreports "$1.vm" | jq -c .status)" "${@:2}"; }
# restarted MIGRATION PROVIDER CAUSE FILTER [JQ_OPTION...]: its report knows of one such restart of which the filter is true
restarted() {
    holds "$(see migrationreports "$1.vm" | jq -c .status.restarts)" \
        'any(.[]?; .provider == $p and .cause == $c and ('"$4"'))' --arg p "$2" --arg c "$3" "${@:5}"
}
# found MIGRATION CAUSE [FILTER [JQ_OPTION...]]: the cause is among the findings of its report
found() {
    holds "$(see migrationreports "$1.vm" | jq -c .status.findings)" 'any(.[]?; .cause == $c and ('"${3:-true}"'))' --arg c "$2" "${@:4}"
}
# told KIND NAME REASON [PART]: an Event about it has been recorded
told() {
    holds "$(rest GET "apis/events.k8s.io/v1/namespaces/$NS/events" | jq -c --arg k "$1" --arg n "$2" '[.items[] |
        select(.regarding.kind == $k and .regarding.name == $n and .reportingController != "kubelet") |
        {reason, type, note, count: (.series.count // 1)}]')" \
        'any(.[]; .reason == $r and (.note | contains($p)))' --arg r "$3" --arg p "${4:-}"
}
# measured METRIC PROVIDER [LABEL]: the metric's value for this provider of the namespace
measured() {
    aggregator_get metrics | awk -v name="$1{" -v ns="namespace=\"$NS\"" -v p="\"$2\"" -v l="${3:-}" \
        'index($1, name) == 1 && index($1, ns) && index($1, p) && index($1, l) { print $2; found = 1 } END { exit !found }'
}
# measures METRIC PROVIDER OPERATOR VALUE [LABEL]
measures() {
    local value
    value=$(measured "$1" "$2" "${5:-}") && jq -en "$value $3 $4" >/dev/null && return
    say "$1 of $2: ${value:-none}"
    return 1
}
# our_writes MIGRATION: how many writes of ours into it the API server has taken, and when the first and the last
our_writes() {
    jq -cs --arg ns "$NS" --arg name "$1" '[.[] | select(.objectRef.namespace == $ns and .objectRef.name == $name and
        (.userAgent | startswith("waymark-aggregator")) and .responseStatus.code == 200) | .requestReceivedTimestamp]' \
        "$PROVIDERS_AUDIT"
}
# mount_limit MIGRATION: when VirtRigaud gives up waiting, as a time of day
mount_limit() { see persistentvolumeclaims "$1-storage" | jq -r '.metadata.creationTimestamp | fromdate + 300 | todate[11:]'; }

# --- what the scenarios share ---

# mounting MIGRATION [MODE [CLASS]]: taken up, its PVC made and put into every provider's template
mounting() {
    vm_begins "$1"
    vm_claim "$@"
    roll
    vm_waits "$1"
}
# copied MIGRATION: from the export to the end, with nothing left behind
copied() {
    vm_exports "$1"
    vm_imports "$1"
    vm_creates "$1"
    vm_ready "$1" '.storageInfo = {cleanedUp: true} | del(.snapshotID)'
}
# revisions PROVIDER: of its ReplicaSets, with the PVCs that they mount
revisions() {
    see replicasets | jq -r --arg p "$1" '[.items[] | select(.metadata.labels["app.kubernetes.io/instance"] == $p) |
        "\(.metadata.annotations["deployment.kubernetes.io/revision"]):\([.spec.template.spec.volumes[] |
        .persistentVolumeClaim.claimName // empty] | join(","))"] | sort | join(" ")'
}

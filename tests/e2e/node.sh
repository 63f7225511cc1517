# shellcheck shell=bash disable=SC2016,SC2034,SC2119
# VirtRigaud's providers with real pods on a real node, and a measure from outside of when they answer. Sourced by a case.
# shellcheck source=tests/e2e/providers.sh
source "$WM_ROOT/tests/e2e/providers.sh"

PROVIDERS=$E2E_NAME # the run's cluster is the one that has the node
NS=vm
NODE_IMAGE=waymark.test/provider:1 # what the node has instead of VirtRigaud's
NODE_PROBE=$WM_BUILD/release/tests/provider_probe
MEASURED=$E2E_CASE_DIR/measured.txt

# node_volume CLAIM: a folder of the node for that PVC
node_volume() {
    jq -n --arg ns "$NS" --arg claim "$1" '{apiVersion: "v1", kind: "PersistentVolume", metadata: {name: "pv-\($ns)-\($claim)"},
        spec: {capacity: {storage: "50Gi"}, accessModes: ["ReadWriteMany"], storageClassName: "nfs",
            hostPath: {path: "/mnt/volumes/\($claim)", type: "DirectoryOrCreate"},
            claimRef: {apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: $ns, name: $claim}}}' |
        rest POST api/v1/persistentvolumes >/dev/null
}
# settled REVISION PROVIDER...: each Deployment has come to that revision, and of the pods before none is left
settled() {
    local provider
    for provider in "${@:2}"; do
        rolled_out "$provider" || return
        holds "$(see deployments "$(deployment_of "$provider")" | jq -c .metadata.annotations)" \
            '.["deployment.kubernetes.io/revision"] == $r' --arg r "$1" || return
        holds "$(see "pods?labelSelector=app.kubernetes.io/instance=$provider" | jq -c '[.items[].metadata.name]')" \
            'length == 1' || return
    done
}

# node_measure: writes to $MEASURED when which provider begins to answer and when none of its pods does any more, until it is
# ended. Asked are those pods that count as endpoints: Ready, and not being deleted. A watch tells which these are, and since
# when by the pod itself: when it was told to end, or when it became Ready or ceased to be.
node_measure() {
    kubectl get pods -n "$NS" -l app.kubernetes.io/name=virtrigaud-provider --watch --output-watch-events -o json |
        jq -r --unbuffered '.type as $type | .object | .metadata as $m |
            (first(.status.conditions[]? | select(.type == "Ready")) // {}) as $ready |
            [$m.labels["app.kubernetes.io/instance"], $m.name, .status.podIP // "-",
                if $type != "DELETED" and $m.deletionTimestamp == null and $ready.status == "True" then "yes" else "no" end,
                if $m.deletionTimestamp then ($m.deletionTimestamp | fromdate) - $m.deletionGracePeriodSeconds
                elif $ready.lastTransitionTime then $ready.lastTransitionTime | fromdate else 0 end] | join(" ")' |
        "$NODE_PROBE" 8080 >"$MEASURED"
}
# gaps_of PROVIDER: [{from, to, late}, ...], each time in which it did not answer, after it first did. from and to are ms; late
# is by how many seconds more than the one of rounding each of them came later than the pod itself says: [from, to].
gaps_of() {
    jq -Rnc --arg p "$1" 'def late($ms; $since): if $since == 0 then 0 else [($ms / 1000 | floor) - $since - 1, 0] | max end;
        reduce (inputs | split(" ") | select(.[1] == $p) | [(.[0] | tonumber), .[2], (.[3] | tonumber)]) as [$ms, $word, $since]
            ({gaps: []}; if $word == "down" then .from = $ms | .late = late($ms; $since)
                elif .from then .gaps += [{from, to: $ms, late: [.late, late($ms; $since)]}] | .from = null else . end) |
        .gaps' "$MEASURED"
}

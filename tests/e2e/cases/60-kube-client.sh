# shellcheck shell=bash
# The client library against a real API server: a probe says, a line a call, what a watch is told while things go wrong.

PROBE=$WM_BUILD/release/tests/kube_watch_probe
BACKUPS=/apis/velero.io/v1/backups

# client: kubectl speaks to the case's own cluster, whatever the last test left of it
client() {
    cluster start "$E2E_NAME-client" apiserver >/dev/null
    use_cluster client
}
case_begin() {
    use_cluster client
    apply_crds "$WM_ROOT/tests/crds"
}

# probe NAME OPTION... PATH: starts a probe whose lines are in $E2E_TEST_DIR/NAME.log
probe() {
    local name=$1
    shift
    spawn "$E2E_TEST_DIR" "$name" "$PROBE" --debug --stats 250 "$@"
}
lines() { grep -v '^{' "$E2E_TEST_DIR/$1.log" || true; }
told() { lines "$1" | grep -q "^$2"; }
times_told() { lines "$1" | grep -c "^$2" || true; }
# never_told NAME LINE [TIMES]: no more than TIMES (0)
never_told() { (($(times_told "$1" "$2") <= ${3:-0})) || fail "$1 was told $(times_told "$1" "$2") times: $2"; }
state_is() { [[ $(lines "$1" | grep '^state' | tail -n 1) == "state $2" ]]; }
stat() { lines "$1" | grep '^stats' | tail -n 1 | tr ' ' '\n' | sed -n "s/^$2=//p"; }
stat_over() { (($(stat "$1" "$2") > $3)); }
# waited_for LIMIT COMMAND...: how long it took, in seconds
waited_for() {
    local began
    began=$(now_ms)
    eventually "$@"
    seconds_since "$began"
}

backup() {
    kubectl create -f - >/dev/null <<END
apiVersion: velero.io/v1
kind: Backup
metadata: {name: $1, namespace: $NAMESPACE, labels: {color: ${2:-red}}}
END
}

# what is created, changed, deleted, and what leaves a selector
test_events() {
    client
    own_namespace
    backup before
    probe all --metadata "$BACKUPS"
    probe red --selector color=red "/apis/velero.io/v1/namespaces/$NAMESPACE/backups"
    eventually 10 told all 'state synced'
    eventually 10 told red 'state synced'
    told all "upsert $NAMESPACE/before "
    backup after
    eventually 5 told red "upsert $NAMESPACE/after "
    kubectl label backup after -n "$NAMESPACE" --overwrite color=blue >/dev/null
    eventually 5 told red "remove $NAMESPACE/after "
    kubectl delete backup before -n "$NAMESPACE" >/dev/null
    eventually 5 told all "remove $NAMESPACE/before "
    eventually 5 told red "remove $NAMESPACE/before "
    assert_eq 0 "$(times_told all "remove $NAMESPACE/after ")" 'removals of what only changed'
    assert_eq '1 0' "$(stat all lists) $(stat all errors)" 'lists and errors'
}

# an API server that is away for 15 seconds: nothing is lost, nothing is told twice, and it is found again at once
test_restart() {
    client
    own_namespace
    backup before
    probe p "$BACKUPS"
    eventually 10 told p 'state synced'
    cluster stop "$E2E_NAME-client" apiserver
    say "unreachable after $(waited_for 20 state_is p unreachable) s"
    sleep 15
    never_told p 'begin' 1
    never_told p 'state absent'
    cluster start "$E2E_NAME-client" apiserver
    say "synced again $(waited_for 10 state_is p synced) s after the server was ready"
    backup after
    eventually 5 told p "upsert $NAMESPACE/after "
    # a server that has just started may not know old versions any more (410): one list is fair, and no more
    (($(stat p lists) <= 2)) || fail "it listed $(stat p lists) times"
    never_told p 'remove'
    say "lists $(stat p lists), expired $(stat p expired), errors $(stat p errors)"
}

# killed outright five times in a row: the same
test_killed() {
    client
    own_namespace
    probe p "$BACKUPS"
    eventually 10 told p 'state synced'
    for i in 1 2 3 4 5; do
        signal_process "$(cluster_dir "$E2E_NAME-client")" apiserver KILL
        cluster restart "$E2E_NAME-client" apiserver
        eventually 10 backup "b$i" # kubectl's discovery may come before the server has read its definitions again
        eventually 15 told p "upsert $NAMESPACE/b$i "
    done
    never_told p 'remove'
    never_told p 'state absent'
    (($(stat p lists) <= 6)) || fail "it listed $(stat p lists) times"
}

# a frozen API server is noticed, though its connections stay; when it goes on, so does the watch
test_frozen() {
    client
    own_namespace
    probe p "$BACKUPS"
    eventually 10 told p 'state synced'
    cluster pause "$E2E_NAME-client" apiserver
    say "noticed after $(waited_for 60 state_is p unreachable) s"
    cluster resume "$E2E_NAME-client" apiserver
    eventually 30 state_is p synced
    backup after
    eventually 5 told p "upsert $NAMESPACE/after "
    assert_eq 1 "$(stat p lists)" 'lists'
}

# a server that does not stream lists refuses to (422): it is asked once for all watches, and pages do instead
test_stream_refused() {
    client
    own_namespace
    backup before
    kubectl get --raw "$BACKUPS?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1" \
        >"$E2E_TEST_DIR/raw" 2>&1 || true
    grep -qi 'forbidden' "$E2E_TEST_DIR/raw" || skip 'this API server streams lists'
    probe p --stream "$BACKUPS" "$RESTORES"
    eventually 10 told p '1 state synced'
    eventually 10 told p '2 state synced'
    told p "1 upsert $NAMESPACE/before "
    never_told p '1 state' 1
    backup after
    eventually 5 told p "1 upsert $NAMESPACE/after "
    # two lists run at a time: both may have asked before the first answer
    (($(grep -c '"outcome":"option_refused"' "$E2E_TEST_DIR/p.log") <= 2)) || fail 'it asked again and again'
    assert_eq 0 "$(lines p | grep -c 'errors=[1-9]' || true)" 'lines with errors'
}

# audits: lists between watches, all of the version that was known, and nothing is told that was not so
test_audit() {
    client
    own_namespace
    backup before
    probe p --audit-s 1 --watch-s 2 "$BACKUPS"
    eventually 10 told p 'state synced'
    eventually 20 stat_over p audits 1
    backup after
    eventually 5 told p "upsert $NAMESPACE/after "
    never_told p 'remove'
    never_told p 'abort'
    never_told p 'state' 1
    say "$(stat p audits) audits of $(stat p lists) lists"
}

# --- credentials ---

# service_account: makes the ServiceAccount "probe" that may watch backups
service_account() {
    kubectl create serviceaccount probe -n "$NAMESPACE" >/dev/null
    kubectl create clusterrole "$NAMESPACE" --verb=list,watch --resource=backups.velero.io >/dev/null
    allow
}
allow() {
    kubectl create clusterrolebinding "$NAMESPACE" --clusterrole="$NAMESPACE" --serviceaccount="$NAMESPACE:probe" >/dev/null
}
# token SECRET: a token that lives as long as the Secret
token() {
    kubectl create secret generic "$1" -n "$NAMESPACE" >/dev/null
    jq -n --arg name "$1" '{apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest",
        spec: {boundObjectRef: {kind: "Secret", apiVersion: "v1", name: $name}}}' |
        kubectl create --raw "/api/v1/namespaces/$NAMESPACE/serviceaccounts/probe/token" -f - | jq -r .status.token
}

# rights that are taken away and given back
test_rights() {
    client
    own_namespace
    service_account
    token one >"$E2E_TEST_DIR/token"
    kubeconfig_with token >"$E2E_TEST_DIR/kubeconfig"
    probe p --kubeconfig "$E2E_TEST_DIR/kubeconfig" --watch-s 2 "$BACKUPS"
    eventually 10 told p 'state synced'
    kubectl delete clusterrolebinding "$NAMESPACE" >/dev/null
    eventually 20 state_is p forbidden
    backup meanwhile
    allow
    say "back after $(waited_for 70 state_is p synced) s"
    eventually 5 told p "upsert $NAMESPACE/meanwhile "
    assert_eq 1 "$(stat p lists)" 'lists'
}

# a token that is exchanged in time is not noticed; one that is taken away is, and a new one heals it
test_token() {
    local before
    client
    own_namespace
    service_account
    token one >"$E2E_TEST_DIR/token"
    kubeconfig_with token >"$E2E_TEST_DIR/kubeconfig"
    probe p --kubeconfig "$E2E_TEST_DIR/kubeconfig" --watch-s 2 "$BACKUPS"
    eventually 10 told p 'state synced'
    token two >"$E2E_TEST_DIR/token.new"
    mv "$E2E_TEST_DIR/token.new" "$E2E_TEST_DIR/token"
    kubectl delete secret one -n "$NAMESPACE" >/dev/null
    # the server itself remembers tokens for ten seconds
    sleep 12
    before=$(stat p watches)
    eventually 10 stat_over p watches "$before"
    assert_eq 0 "$(times_told p 'state unauthorized')" 'times it was unauthorized'
    kubectl delete secret two -n "$NAMESPACE" >/dev/null
    eventually 30 state_is p unauthorized
    backup meanwhile
    token three >"$E2E_TEST_DIR/token.new"
    mv "$E2E_TEST_DIR/token.new" "$E2E_TEST_DIR/token"
    say "back after $(waited_for 70 state_is p synced) s"
    eventually 5 told p "upsert $NAMESPACE/meanwhile "
    assert_eq 1 "$(stat p lists)" 'lists'
    # nothing of it is in the log
    ! grep -qF "$(cut -c1-20 "$E2E_TEST_DIR/token")" "$E2E_TEST_DIR/p.log" || fail 'the token is in the log'
}

# --- kinds that come and go ---

widgets() {
    kubectl apply -f - >/dev/null <<'END'
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.waymark.io}
spec:
  group: example.waymark.io
  scope: Cluster
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
END
    eventually 20 kubectl get widgets
}
widget() {
    kubectl create -f - >/dev/null <<END
apiVersion: example.waymark.io/v1
kind: Widget
metadata: {name: $1}
END
}

# a kind that is installed later, deleted with its objects, and installed again
test_kind() {
    client
    probe p /apis/example.waymark.io/v1/widgets
    eventually 5 state_is p absent
    assert_eq 'begin end 0' "$(lines p | grep -E '^(begin|end)' | head -n 2 | cut -d' ' -f1,2 | xargs)" 'what it was told'
    widgets
    widget one
    eventually 70 told p 'upsert /one '
    state_is p synced || fail 'it is not synced'
    kubectl delete crd widgets.example.waymark.io >/dev/null
    eventually 10 told p 'remove /one '
    eventually 60 state_is p absent
    widgets
    widget two
    eventually 90 told p 'upsert /two '
    eventually 5 state_is p synced
    kubectl delete crd widgets.example.waymark.io >/dev/null
}

# --- many objects ---

LARGE=waymark-large
# large: makes $E2E_OBJECTS (20,000) volume restores, once for the case
large() {
    local n=${E2E_OBJECTS:-20000} body=$E2E_CASE_DIR/large.json rate=500
    client
    [[ ! -e $E2E_CASE_DIR/large ]] || return 0
    kubectl create namespace "$LARGE" >/dev/null
    # about as large as Velero's own: 2.2 kB
    jq -n --arg pad "$(head -c 1100 /dev/zero | tr '\0' x)" '{apiVersion: "velero.io/v1", kind: "PodVolumeRestore",
        metadata: {generateName: "nginx-restore-", labels: {"velero.io/restore-name": "nginx", "velero.io/restore-uid": "u"},
            annotations: {pad: $pad}},
        spec: {backupStorageLocation: "default", pod: {kind: "Pod", name: "p", namespace: "n", uid: "u"},
            repoIdentifier: "s3:http://minio/velero/restic/n", snapshotID: "0123abcd", sourceNamespace: "n", volume: "data"}}' >"$body"
    # some may be refused on a busy machine: how many there are is counted below
    "$WM_BUILD/release/tests/kube_load" create "/apis/velero.io/v1/namespaces/$LARGE/podvolumerestores" "$body" "$rate" \
        "$((n / rate))" >"$E2E_CASE_DIR/large.out" || true
    say "$(<"$E2E_CASE_DIR/large.out")"
    touch "$E2E_CASE_DIR/large"
}
large_count() { kubectl get --raw "/apis/velero.io/v1/namespaces/$LARGE/podvolumerestores?limit=1" | jq '.items as $i | .metadata.remainingItemCount + ($i | length)'; }
RESTORES=/apis/velero.io/v1/podvolumerestores

# a large list costs the memory of one object: from the cache at once, from etcd in pages, as metadata
test_many() {
    local n how began
    large
    n=$(large_count)
    began=$(now_ms)
    kubectl get --raw "$RESTORES?resourceVersion=0" >"$E2E_TEST_DIR/list.json"
    say "$n objects, $(wc -c <"$E2E_TEST_DIR/list.json") bytes; kubectl get --raw to a file took $(seconds_since "$began") s"
    for how in '' --quorum --metadata; do
        # shellcheck disable=SC2086
        probe "p$how" --quiet $how "$RESTORES"
        eventually 60 told "p$how" 'state synced'
        sleep 0.5
        say "${how:-from the cache}: $(lines "p$how" | grep '^end') ms, $(stat "p$how" pages) pages, peak $(stat "p$how" peak_kb) kB, now $(stat "p$how" rss_kb) kB, CPU $(stat "p$how" cpu_ms) ms"
        told "p$how" "end $n " || fail "it was told $(lines "p$how" | grep '^end')"
        (($(stat "p$how" peak_kb) < 24000)) || fail "it used $(stat "p$how" peak_kb) kB"
        end_processes "$E2E_TEST_DIR" "p$how"
    done
}

# a page whose version was compacted away under a slow reader (410): the whole list follows instead
test_compacted_page() {
    local n revision etcd
    large
    n=$(large_count)
    etcd=$(sed -n 's/^ETCD=//p' "$(cluster_dir "$E2E_NAME-client")/cluster.env")
    probe p --quiet --quorum --page 5 "$RESTORES"
    eventually 10 stat_over p pages 3
    signal_process "$E2E_TEST_DIR" p STOP
    kubectl label namespace "$LARGE" "touched=$RANDOM" --overwrite >/dev/null
    revision=$(ETCDCTL_API=3 etcdctl --endpoints="$etcd" endpoint status -w json | jq '.[0].Status.header.revision')
    ETCDCTL_API=3 etcdctl --endpoints="$etcd" compaction "$revision" >/dev/null
    signal_process "$E2E_TEST_DIR" p CONT
    eventually 60 told p 'state synced'
    assert_eq 1 "$(stat p expired)" 'pages that had expired'
    assert_eq 1 "$(times_told p abort)" 'lists given up'
    told p "end $n " || fail "it was told $(lines p | grep '^end')"
}

# a watch whose version is gone (410 in the stream, with HTTP 200): one list from what it knew, and on it goes
test_expired_watch() {
    client
    own_namespace
    backup before
    probe p "$BACKUPS"
    eventually 10 told p 'state synced'
    # while the probe sleeps without a connection, things change, and a server starts that remembers nothing older
    signal_process "$E2E_TEST_DIR" p STOP
    cluster restart "$E2E_NAME-client" apiserver
    backup meanwhile
    kubectl delete backup before -n "$NAMESPACE" >/dev/null
    cluster restart "$E2E_NAME-client" apiserver
    signal_process "$E2E_TEST_DIR" p CONT
    eventually 15 told p "upsert $NAMESPACE/meanwhile "
    eventually 5 state_is p synced
    eventually 5 stat_over p expired 0
    backup after
    eventually 5 told p "upsert $NAMESPACE/after "
}

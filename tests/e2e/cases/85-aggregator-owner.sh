# shellcheck shell=bash disable=SC2016,SC2119
# The aggregator writes into objects that mig-controller rewrites whole, up to ten times a second: it must not get in its way.
#
# $WAYMARK_PLAYER_ROUNDS: how many rounds mig-controller makes in all, by default 1,600; ./dev soak owner sets it.
# shellcheck source=tests/e2e/fleet.sh
source "$WM_ROOT/tests/e2e/fleet.sh"

PLAYER=$WM_BUILD/release/tests/mig_player
MIGRATIONS_MAX=150 # at once: what two processors bear without rounds that come late

case_begin() { fleet_up; }

# script ROUNDS: prints how many migrations share that many rounds, and how often each of their four waits is polled
script() {
    local moves=12 polls=6 migrations
    (($1 <= 3000)) || polls=14 # waits of 42 s: longer than the half minute between two writes of ours
    migrations=$((($1 - 1) / (moves + 4 * polls) + 1))
    if ((migrations > MIGRATIONS_MAX)); then
        migrations=$MIGRATIONS_MAX
        polls=$((($1 / migrations - moves) / 4 + 1))
    fi
    printf '%d %d\n' "$migrations" "$polls"
}

# played_migrations N: creates played-1 to played-N. Each has a condition that mig-controller drops in its first round, since
# it is not durable, and one whose message it rewrites.
played_migrations() {
    jq -n --argjson n "$1" --arg now "$(rfc3339)" '{apiVersion: "v1", kind: "List", items: [range(1; $n + 1) | {
        apiVersion: "migration.openshift.io/v1alpha1", kind: "MigMigration",
        metadata: {name: "played-\(.)", namespace: "openshift-migration"},
        spec: {stage: true, migPlanRef: {name: "nginx-plan", namespace: "openshift-migration"}},
        status: {conditions: [
            {type: "Fleeting", durable: false, message: "It is not durable."},
            {type: "Bracketed", durable: true, message: "It lists [a, b] and [c]."}] |
            map(. + {status: "True", category: "Advisory", lastTransitionTime: $now})}}]}' |
        kubectl create -f - >/dev/null
}

# ended: a line of counts for each migration that ended
ended() { grep '^{"ended"' "$E2E_TEST_DIR/player.log"; }
# await_player SECONDS: shows how far it is until it has ended
await_player() {
    local deadline=$((SECONDS + $1)) line last=''
    while pid_of "$E2E_TEST_DIR" player >/dev/null; do
        ((SECONDS < deadline)) || fail "the player did not end within $1 s"
        line=$(grep ' rounds, ' "$E2E_TEST_DIR/player.log" | tail -n 1) || true
        [[ $line == "$last" ]] || say "$line"
        last=$line
        sleep 1
    done
}

# writes_of: from the audit log, for each played migration: {name, owner, ours}, the times in seconds of the writes that were
# taken, and refused, how many of the owner's met another
writes_of() {
    jq -cs 'def s: (.[:19] + "Z" | fromdateiso8601) + (".\(.[20:26])" | tonumber);
        map(select(.objectRef.name | startswith("played-")) | {name: .objectRef.name, code: .responseStatus.code,
            owner: (.userAgent | startswith("waymark-mig-player")), at: (.requestReceivedTimestamp | s)}) |
        group_by(.name)[] | {name: .[0].name, refused: map(select(.owner and .code == 409)) | length,
            owner: map(select(.owner and .code == 200) | .at) | sort,
            ours: map(select((.owner | not) and .code == 200) | .at) | sort}' "$FLEET_AUDIT"
}

# none WHAT JSON FILTER [JQ_OPTION...]: the filter is true of no item; fails with WHAT and the items of which it is
none() {
    local found
    found=$(jq -c "${@:4}" ".[] | select($3)" <<<"$2")
    [[ -z $found ]] || fail "$1:"$'\n'"$(head -n 5 <<<"$found")"
}
# sums COUNTS: of all migrations together; of times in milliseconds the longest
sums() {
    jq -c 'map(del(.ended)) | map(to_entries) | flatten | group_by(.key) | map({key: .[0].key, value: (map(.value) as $v |
        if .[0].key | endswith("_ms") then $v | max else $v | add end)}) | from_entries' <<<"$1"
}

# mig-controller runs many migrations with all its writes: none of them meets one of ours, and neither side loses anything
test_no_conflicts() {
    local migrations polls names
    read -r migrations polls < <(script "${WAYMARK_PLAYER_ROUNDS:-1600}")
    mapfile -t names < <(seq -f 'played-%.0f' "$migrations")
    fleet
    connected
    plan nginx-plan source target
    aggregator
    played_migrations "$migrations"
    say "$migrations migrations, each with four waits of $polls rounds"
    spawn "$E2E_TEST_DIR" player "$PLAYER" "$KUBECONFIG" openshift-migration "$polls" "${names[@]}"
    await_player $((240 + polls * 20))
    undisturbed "$(ended | jq -cs .)" "$polls"
    all_stands
    say "writes: $(metric waymark_writes_total), too late: $(metric waymark_writes_refused_total)"
    assert_eq '0 0' "$(metric waymark_words_lost_total) $(metric waymark_writes_failed_total)" 'words lost, writes failed'
}

# undisturbed COUNTS POLLS: what the player and the API server counted
undisturbed() {
    local writes told=1
    (($2 < 14)) || told=2
    say "$(sums "$1")"
    grep '^{"conflict"' "$E2E_TEST_DIR/player.log" >&2 || true
    assert_eq "$migrations" "$(jq length <<<"$1")" 'migrations that ended'
    none 'their owner met a write of ours' "$1" '.others > 0'
    none 'one side lost what it wrote' "$1" '.spoiled + .lost > 0 or .outcome != 1'
    none 'dropped or rewritten was not only what was made for that' "$1" '.dropped != 1 or .rewritten != 1'
    none 'too little was said while they waited' "$1" ".waits != 4 or .told < $told"
    writes=$(writes_of | jq -cs .)
    assert_eq "$(sums "$1" | jq -c '[.writes, .conflicts]')" \
        "$(jq -c '[(map(.owner | length) | add), (map(.refused) | add)]' <<<"$writes")" 'writes and conflicts that the API server saw'
    # After its owner's last write a migration has ended: then it is told at once. (A clock may be set by milliseconds.)
    none 'written more often than twice a minute while they ran' "$writes" '.owner[-1] as $last |
        (.ours | map(select(. < $last))) as $at | any(range(1; $at | length); $at[.] - $at[. - 1] < 29.9)'
}

# all_stands: at the end each migration has all that its owner wrote and all that we wrote
all_stands() {
    kubectl get migmigrations -n openshift-migration -o json >"$E2E_TEST_DIR/migrations.json"
    none 'at the end something is missing, or too much' "$(jq -c .items "$E2E_TEST_DIR/migrations.json")" '
        (.status.conditions | map("\(.type) \(.reason // "")") | sort) != ["Bracketed ", "MigrationOutcome Succeeded",
            "MigrationProgress Completed", "Succeeded Completed"] or .status.phase != "Completed" or
        (.metadata.annotations["waymark.io/verdict"] // "" | startswith("Succeeded") | not) or
        .metadata.annotations["openshift.io/touch"] == null or
        .metadata.labels["migration.openshift.io/migplan-name"] != "nginx-plan"'
    eventually 60 all_reported
}
# Of phases that pass in a tenth of a second one may go unseen; of those that wait, none.
all_reported() {
    none 'not in the report' "$(kubectl get migrationreports -n openshift-migration -o json | jq -c .items)" '
        .status.timeline | map(.phase) | contains(["WaitForRefresh", "StagePodsCreated", "StageBackupCreated",
            "StageRestoreCreated", "Completed"]) | not'
}

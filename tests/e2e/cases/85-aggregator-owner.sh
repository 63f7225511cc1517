# shellcheck shell=bash disable=SC2016,SC2119
# The aggregator writes into objects that mig-controller rewrites whole, up to ten times a second: it must not get in its way.
#
# $WAYMARK_PLAYER_POLLS: rounds of 3 s in each of four phases that wait, by default 7; e.g. with E2E_LIMIT=4000 and 300 polls the
# test takes an hour.
# shellcheck source=tests/e2e/fleet.sh
source "$WM_ROOT/tests/e2e/fleet.sh"

PLAYER=$WM_BUILD/release/tests/mig_player

case_begin() { fleet_up; }

# result NAME: what its player said at its end
result() { grep '^{"rounds"' "$E2E_TEST_DIR/$1.log"; }
played() {
    local name
    for name in "$@"; do result "$name" || return; done
}

# mig-controller runs three migrations with all its writes: none of them meets one of ours, and our words stand at the end
test_no_conflicts() {
    local polls=${WAYMARK_PLAYER_POLLS:-7} name
    fleet
    connected
    plan nginx-plan source target
    aggregator
    for name in one two three; do
        migration $name nginx-plan >/dev/null
        spawn "$E2E_TEST_DIR" $name "$PLAYER" "$KUBECONFIG" openshift-migration $name "$polls"
    done
    eventually $((60 + polls * 16)) played one two three
    for name in one two three; do
        say "$name: $(result $name)"
        # Each wait is longer than the half minute between two writes of ours only with 11 polls and more.
        holds "$(result $name)" '.others == 0 and .rewritten == 0 and .waits == 4 and .told >= $told' \
            --argjson told "$((polls > 11 ? 4 : 2))" || fail "$name: its owner was disturbed, or heard nothing"
        eventually 15 says $name MigrationOutcome Succeeded
        # Of phases that pass in a tenth of a second one may go unseen; of those that wait, none.
        eventually 5 reported $name '.timeline | (map(.phase) | contains(["WaitForRefresh", "StagePodsCreated",
            "StageBackupCreated", "StageRestoreCreated", "Completed"])) and length >= 10'
    done
    say "writes: $(metric waymark_writes_total), too late: $(metric waymark_writes_refused_total)"
    assert_eq '0 0' "$(metric waymark_words_lost_total) $(metric waymark_writes_failed_total)" 'words lost, writes failed'
}

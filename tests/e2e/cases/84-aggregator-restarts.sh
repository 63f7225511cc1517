# shellcheck shell=bash disable=SC2016,SC2119
# The aggregator is killed and comes again, alone or with a second one: nothing is lost, and nothing is said twice.
# shellcheck source=tests/e2e/fleet.sh
source "$WM_ROOT/tests/e2e/fleet.sh"

case_begin() { fleet_up; }

# running: a migration in its second phase, that both condition and report say
running() {
    connected
    plan nginx-plan source target
    MIGRATION=running
    migration running nginx-plan >/dev/null
    mig_phase running EnsureStageBackup
    eventually 10 reported running '.phase == "EnsureStageBackup"'
    mig_phase running StageBackupCreated
    eventually 10 reported running '.phase == "StageBackupCreated"'
    eventually 45 polled says running MigrationProgress StageBackupCreated
    eventually 10 told StageBackupCreated
}
told() { [[ $(events_of running | grep -c "^$1 Normal 1$") == 1 ]]; }
# versions: of all that is ours: the report, and what of the migration is not mig-controller's
versions() {
    report running | jq -c .metadata.resourceVersion
    condition running MigrationProgress
    verdict running
    events_of running | sort
}
# goes_on [AGGREGATOR]: the next phase is told, once, and the history has all phases with their times
goes_on() {
    mig_phase running StageRestoreCreated
    eventually 5 reported running '.phase == "StageRestoreCreated"'
    eventually 45 polled says running MigrationProgress StageRestoreCreated
    eventually 5 told StageRestoreCreated
    mig_end running Succeeded Completed
    eventually 15 says running MigrationOutcome Succeeded
    eventually 5 told Succeeded
    reported running '[.timeline[].phase] == ["EnsureStageBackup", "StageBackupCreated", "StageRestoreCreated", "Completed"]' ||
        fail 'the history is not whole'
    reported running '.timeline[1].seconds >= 1 and .timeline[2].seconds >= 1' || fail 'the times'
    assert_eq '1 1 1' "$(for reason in StageBackupCreated StageRestoreCreated Succeeded; do
        events_of running | grep -c "^$reason "
    done | xargs)" Events
}

# killed in the middle of a phase and started again, it has the whole history, and writes nothing that stands already
test_killed() {
    local before
    fleet
    aggregator
    running
    before=$(versions)
    signal_process "$E2E_TEST_DIR" aggregator KILL
    sleep 1
    aggregator aggregator
    eventually 20 fleet_good
    for _ in 1 2 3; do polled true; done
    assert_eq "$before" "$(versions)" 'what is written'
    assert_eq 0 "$(metric waymark_writes_total)" writes
    goes_on
}

# what happens while nobody watches is told afterwards, as what it is
test_killed_over_a_phase() {
    fleet
    aggregator
    running
    signal_process "$E2E_TEST_DIR" aggregator KILL
    mig_phase running EnsureStageBackupReplicated
    mig_phase running EnsureStageRestore
    aggregator aggregator
    eventually 10 reported running '[.timeline[].phase] == ["EnsureStageBackup", "StageBackupCreated", "EnsureStageRestore"]'
    reported running '.timeline[1] | has("seconds") | not' || fail 'a time that nobody saw'
    eventually 5 told EnsureStageRestore
    eventually 5 told StageBackupCreated
}

replica() { aggregator "$1" --leader-election=true; }
leads() { page readyz "$1" | grep -q 'lease: leads'; }

# of two replicas one writes; when it is killed the other goes on within the Lease, and nothing is said twice
test_two_replicas() {
    local before killed
    fleet
    replica a
    eventually 10 leads a
    replica b
    running
    assert_eq 0 "$(metric waymark_writes_total b)" "the second one's writes"
    before=$(versions)
    signal_process "$E2E_TEST_DIR" a KILL
    killed=$(now_ms)
    mig_round running
    eventually 20 leads b
    say "led after $(seconds_since "$killed") s"
    for _ in 1 2 3; do polled true; done
    assert_eq "$before" "$(versions)" 'what is written'
    assert_eq 0 "$(metric waymark_writes_total b)" 'writes of the new leader'
    goes_on
}

# what happens between two leaders is told by the next one
test_news_between_leaders() {
    fleet
    replica a
    eventually 10 leads a
    replica b
    running
    signal_process "$E2E_TEST_DIR" a KILL
    sleep 1
    mig_phase running StageRestoreCreated
    eventually 20 leads b
    eventually 5 reported running '.phase == "StageRestoreCreated"'
    eventually 45 polled says running MigrationProgress StageRestoreCreated
    eventually 5 told StageRestoreCreated
}

# shellcheck shell=bash disable=SC2016,SC2119
# The aggregator and clusters that come, go and refuse: what it says of them, to whom, and how soon.
# shellcheck source=tests/e2e/fleet.sh
source "$WM_ROOT/tests/e2e/fleet.sh"

case_begin() { fleet_up; }

# two_plans: a migration to the target, and one that has nothing to do with it
two_plans() {
    plan to-target source target
    plan to-host source host
    migration far to-target >/dev/null
    migration near to-host >/dev/null
    mig_phase far StageRestoreCreated
    mig_phase near StageBackupCreated
}
# far_says PART: within a round of mig-controller, or a few
far_says() {
    MIGRATION=far
    eventually "${2:-45}" polled says far MigrationProgress StageRestoreCreated "$1"
}
# near_goes_on PHASE: the other migration is reported as quickly as ever
near_goes_on() {
    local began
    began=$(now_ms)
    mig_phase near "$1"
    eventually 3 reported near ".phase == \"$1\" and (.verdict | contains(\"target\") | not)" || fail 'the other migration is delayed'
    say "the other migration was reported after $(seconds_since "$began") s"
}
sight_is() { reported far ".clusters[] | select(.name == \"target\") | .sight == \"$1\""; }

# a cluster is connected as soon as its MigCluster and its token are there
test_connected_by_migcluster() {
    fleet
    host_migcluster
    aggregator
    plan to-target source target
    migration far to-target >/dev/null
    mig_phase far StageRestoreCreated
    far_says 'cluster target is not watched' 5
    migcluster target
    eventually 5 reported far '.verdict | contains("target")'
    eventually 5 cluster_is target 'none, Secret openshift-config/target-token'
    token_secret target "$(new_token target migration-controller)"
    eventually 40 cluster_is target good
    connected_again
}
connected_again() {
    eventually 5 sight_is good
    eventually 5 reported far '.verdict | contains("cluster target") | not'
}

# a token that is refused is told within seconds on the migration that needs it, and the right one is taken up
test_refused_token() {
    fleet
    host_migcluster
    token_secret source "$(new_token source migration-controller)"
    token_secret target 'not-a-token'
    migcluster source
    migcluster target
    aggregator
    two_plans
    eventually 5 cluster_is target unauthorized
    eventually 5 sight_is unauthorized
    far_says 'cluster target refuses the token since' 10
    assert_contains 'refuses the token' "$(verdict far)" verdict
    near_goes_on EnsureStageBackupReplicated
    token_secret target "$(new_token target migration-controller)"
    eventually 45 cluster_is target good
    connected_again
    far_says 'waits for a Restore on cluster target'
}

# a token that is exchanged in its Secret, and then withdrawn, is followed by the new one
test_exchanged_token() {
    fleet
    connected
    token_secret target "$(new_token target old-account)"
    aggregator
    two_plans
    eventually 20 fleet_good
    token_secret target "$(new_token target new-account)"
    on target kubectl delete serviceaccount old-account -n openshift-migration >/dev/null
    cluster restart "$(fleet_name target)" apiserver # which ends the watches that the old one opened
    eventually 60 grep -q '"cluster":"target",.*unauthorized' "$E2E_TEST_DIR/aggregator.log"
    eventually 60 cluster_is target good
    connected_again
}

# a stopped API server is told within seconds, delays no other migration, and is found again
test_stopped_server() {
    fleet
    connected
    aggregator
    two_plans
    eventually 20 fleet_good
    far_says 'waits for a Restore on cluster target' 10
    cluster stop "$(fleet_name target)" apiserver
    eventually 8 sight_is unreachable
    eventually 5 reported far '.verdict | contains("cluster target cannot be seen since")'
    near_goes_on EnsureStageBackupReplicated
    far_says 'cluster target cannot be seen since'
    near_goes_on StageRestoreCreated
    cluster start "$(fleet_name target)" apiserver
    eventually 70 sight_is good
    connected_again
    far_says 'waits for a Restore on cluster target; next'
}

# a kubeconfig that is given by hand is used instead of what the MigCluster says
test_by_hand() {
    fleet
    connected
    token_secret target 'not-a-token'
    aggregator aggregator --remotes "target=$(cluster_dir "$(fleet_name target)")/kubeconfig"
    eventually 15 fleet_good
}

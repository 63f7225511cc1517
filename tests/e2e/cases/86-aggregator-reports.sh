# shellcheck shell=bash disable=SC2016,SC2119
# MigrationReports that somebody else deletes or changes, and a host on which their definition is not installed.
# shellcheck source=tests/e2e/fleet.sh
source "$WM_ROOT/tests/e2e/fleet.sh"

REPORT_CRD=$WM_ROOT/manifests/base/migrationreport-crd.yaml

case_begin() { fleet_up; }

# begin: one migration that is over and one that waits, followed
begin() {
    connected
    plan nginx-plan source target
    migration 'over' nginx-plan >/dev/null
    mig_phase over StageRestoreCreated
    mig_end over Succeeded Completed
    migration waiting nginx-plan >/dev/null
    mig_phase waiting StageRestoreCreated
    aggregator
    eventually 20 fleet_good
}
both_reported() {
    reported over '.outcome == "succeeded"' && reported waiting '.phase == "StageRestoreCreated"'
}
uids_of_reports() { kubectl get migrationreports -n openshift-migration -o json | jq -r '.items[].metadata.uid' | sort; }

# a report that somebody deletes is there again within a minute, whether its migration runs or has ended
test_deleted() {
    local before
    fleet
    begin
    eventually 20 both_reported
    before=$(uids_of_reports)
    kubectl delete migrationreports --all -n openshift-migration >/dev/null
    eventually 60 both_reported
    assert_eq '' "$(comm -12 <(printf '%s\n' "$before") <(uids_of_reports))" 'reports that were not deleted'
    assert_eq 2 "$(metric waymark_reports_made_anew_total)" 'reports made anew'
}

# a status that somebody changes is taken back, a label is left where it is
test_changed() {
    fleet
    begin
    eventually 20 both_reported
    kubectl label migrationreport waiting -n openshift-migration team=blue >/dev/null
    kubectl patch migrationreport over -n openshift-migration --subresource=status --type=merge \
        -p '{"status": {"outcome": "failed"}}' >/dev/null
    reported over '.outcome == "failed"' || fail 'the patch was not taken'
    eventually 60 both_reported
    assert_eq blue "$(report waiting | jq -r .metadata.labels.team)" 'the label'
    assert_eq 1 "$(metric waymark_reports_made_anew_total)" 'reports made anew'
}

# without the definition everything else is written, the log says once what to install, and reports follow when it is there
test_not_installed() {
    local log=$E2E_TEST_DIR/aggregator.log
    fleet
    kubectl delete -f "$REPORT_CRD" --wait >/dev/null
    eventually 20 refused kubectl get migrationreports -n openshift-migration >/dev/null
    begin
    eventually 20 says over MigrationOutcome Succeeded
    assert_eq 0 "$(metric waymark_reports_installed)" 'the gauge'
    assert_eq 0 "$(metric waymark_writes_failed_total)" 'writes that failed'
    assert_eq 1 "$(grep -c '"reports_not_installed"' "$log")" 'lines about it'
    assert_contains 'migrationreport-crd.yaml' "$(grep '"reports_not_installed"' "$log")" 'what to install'
    apply_crds "$REPORT_CRD"
    eventually 90 both_reported
    assert_eq 1 "$(metric waymark_reports_installed)" 'the gauge'
}

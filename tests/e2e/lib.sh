# shellcheck shell=bash
# What a case has at hand. kubectl speaks to the run's cluster; $E2E_TEST_DIR is a folder of the test's own, and what it
# spawns there (see tests/dev/process.sh) is ended after it; $E2E_CASE_DIR and $E2E_DIR live as long as the case and the
# run. Besides what is below: create_from, render, uid_of, label_of, apply_crds, eventually, free_port, the story_* steps.
# shellcheck source=tests/demo/story.sh
source "$(dirname "${BASH_SOURCE[0]}")/../demo/story.sh"
# shellcheck source=tests/dev/webhook.sh
source "$WM_ROOT/tests/dev/webhook.sh"
# shellcheck source=tests/dev/aggregator.sh
source "$WM_ROOT/tests/dev/aggregator.sh"

# The namespace that the assertions look in; own_namespace changes it.
NAMESPACE=openshift-migration

failed_at() { say "failed (status $1) at $2:$3: $4"; }
fail() {
    say "$*"
    exit 1
}
skip() {
    say "$*"
    exit 77
}

# assert_eq EXPECTED ACTUAL [WHAT]
assert_eq() {
    [[ $1 == "$2" ]] || fail "${3:-value}: expected \"$1\", got \"$2\""
}
# assert_contains PART TEXT [WHAT]
assert_contains() {
    [[ $2 == *"$1"* ]] || fail "${3:-text}: expected to find \"$1\" in \"$2\""
}
# assert_label KIND NAME KEY VALUE
assert_label() {
    local actual
    actual=$(label_of "$1" "$2" "$3" "$NAMESPACE") || fail "$1 $2 has no label $3; it should be \"$4\""
    assert_eq "$4" "$actual" "label $3 of $1 $2"
}
# assert_no_label KIND NAME KEY
assert_no_label() {
    local actual
    kubectl get "$1" "$2" -n "$NAMESPACE" >/dev/null || fail "there is no $1 $2"
    ! actual=$(label_of "$1" "$2" "$3" "$NAMESPACE") || fail "$1 $2 should not have label $3, and has \"$actual\""
}
# absent KIND NAME: succeeds when there is no such object; for eventually
absent() { ! kubectl get "$1" "$2" -n "$NAMESPACE" -o name 2>/dev/null; }
# refused COMMAND...: COMMAND must fail; prints what it said
refused() {
    local output
    ! output=$("$@" 2>&1) || fail "was accepted: $*"
    printf '%s\n' "$output"
}

# own_namespace: makes a namespace for this test alone and lets the assertions look there
own_namespace() {
    NAMESPACE=test-$BASHPID-$RANDOM
    kubectl create namespace "$NAMESPACE" >/dev/null
}
operator_namespace() {
    kubectl get namespace "$NAMESPACE" >/dev/null 2>&1 || kubectl create namespace "$NAMESPACE" >/dev/null
}

# cluster ...: ./dev cluster, for clusters of this run: cluster restart "$E2E_NAME" etcd
cluster() { bash "$WM_ROOT/tests/cluster/cluster.sh" "$@"; }

# cluster_dir [NAME]: where the run's cluster, or another, keeps its logs and certificates
cluster_dir() { printf '%s\n' "$WM_STATE/clusters/${1:-$E2E_NAME}"; }

# use_cluster SUFFIX [OPTION...]: a cluster of its own beside the run's one, started at first use and ended with the run.
# kubectl then speaks to it; "use_cluster ''" goes back.
use_cluster() {
    local name=$E2E_NAME${1:+-$1} exports
    exports=$(cluster up "$name" "${@:2}")
    eval "$exports"
}

# kubeconfig_with TOKEN_FILE: prints a kubeconfig for the cluster with that token
kubeconfig_with() {
    kubectl config view --raw --minify -o json | jq --arg file "$1" '.users[0].user = {tokenFile: $file}'
}

# use_real_crds: a cluster with the original definitions instead of the project's own; skips where there are none
use_real_crds() {
    [[ -n $WAYMARK_REAL_CRDS ]] || skip 'WAYMARK_REAL_CRDS names no folder with the original definitions'
    [[ -d $WAYMARK_REAL_CRDS ]] || fail "WAYMARK_REAL_CRDS is no folder: $WAYMARK_REAL_CRDS"
    use_cluster originals
    [[ -e $E2E_DIR/originals-applied ]] && return
    local -a files
    mapfile -t files < <(find "$WAYMARK_REAL_CRDS" -name '*.yaml' | sort)
    apply_crds "${files[@]}"
    touch "$E2E_DIR/originals-applied"
}

# use_webhook [FLAG...]: the webhook beside the run's cluster, started at first use, ended with the run. Fails closed, so
# that a test cannot pass because nobody answered. In namespaces that a test made for itself nothing is denied: what is about
# labels need not be a migration that works.
use_webhook() {
    export FAILURE_POLICY=Fail
    export WEBHOOK_CONFIG=$'validation:\n  modes:\n  - {rules: ["*"], namespaces: ["test-*"], mode: audit}\n'
    if pid_of "$E2E_DIR/shared" webhook >/dev/null; then
        # shellcheck disable=SC1091
        source "$E2E_DIR/shared/webhook.env"
        return
    fi
    webhook_up "$E2E_DIR/shared" "$E2E_NAME" "$@"
}

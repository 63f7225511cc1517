# shellcheck shell=bash
# What an operator applies: every overlay is accepted by a real API server, and what is applied stays as it is written.

OVERLAYS=$WM_ROOT/manifests/overlays
CONFIGS=(mutatingwebhookconfiguration/waymark-labels validatingwebhookconfiguration/waymark-validation)

case_begin() {
    use_cluster manifests
    kubectl create namespace waymark >/dev/null
    # where overlays/secret-lookups and overlays/cluster-secrets may read
    kubectl create namespace openshift-config >/dev/null
    kubectl create namespace openshift-migration >/dev/null
}
here() {
    kubectl kustomize "$OVERLAYS/kubernetes-1.16" >/dev/null 2>&1 ||
        skip 'the overlays need a kubectl of 1.21 or later; this one cannot read their patches'
    use_cluster manifests
}

# served FOLDER: its objects, without those of API groups that this server does not have (cert-manager's, policy/v1)
served() {
    local groups
    groups=$(kubectl api-versions)
    kubectl kustomize "$1" | awk -v groups="$groups" '
        BEGIN { RS = "---\n"; n = split(groups, g, "\n"); for (i = 1; i <= n; i++) known[g[i]] = 1 }
        match($0, /(^|\n)apiVersion: [^\n]*/) {
            version = substr($0, RSTART, RLENGTH); sub(/^\n?apiVersion: /, "", version)
            if (version in known) printf "---\n%s", $0
        }'
}

# objects: the objects of a stream of YAML, a JSON object a line
objects() { kubectl create --dry-run=client --validate=false -o json -f - | jq -c '(.items // [.])[]'; }

# the overlay for this server and the one for older ones are accepted whole
test_accepted_whole() {
    local overlay expected
    here
    while read -r overlay expected; do
        assert_eq "$expected" "$(kubectl apply --dry-run=server -o name -k "$OVERLAYS/$overlay" | wc -l)" "objects of $overlay"
    done <<END
kubernetes-1.16 31
legacy-v1beta1 28
END
}

# the base and the other overlays are accepted, but for the API groups that this server does not have
test_accepted() {
    local folder expected
    here
    while read -r folder expected; do
        served "$WM_ROOT/manifests/$folder" >"$E2E_TEST_DIR/all.yaml"
        assert_eq "$expected" "$(kubectl apply --dry-run=server -o name -f "$E2E_TEST_DIR/all.yaml" | wc -l)" "objects of $folder"
    done <<END
base 29
remote 5
remote-labels 2
overlays/validation-fail 29
overlays/secret-lookups 3
overlays/cluster-secrets 3
overlays/cert-manager 27
overlays/openshift-service-ca 27
END
}

# an API server that knows no matchConditions refuses them, so that no entry without a selector calls for every update
test_match_conditions_refused() {
    here
    served "$OVERLAYS/match-conditions" >"$E2E_TEST_DIR/all.yaml"
    assert_contains matchConditions "$(refused kubectl apply --dry-run=server -f "$E2E_TEST_DIR/all.yaml")"
}

# nothing differs after it is applied, nor after the webhook has written its caBundle, and applying again keeps that
test_no_drift() {
    local i n config
    here
    kubectl apply -k "$OVERLAYS/kubernetes-1.16" >/dev/null
    kubectl diff -k "$OVERLAYS/kubernetes-1.16" || fail 'differs after it was applied'
    for config in "${CONFIGS[@]}"; do
        n=$(kubectl get "$config" -o json | jq '.webhooks | length')
        for ((i = 0; i < n; i++)); do
            kubectl patch "$config" --type=json \
                -p "[{\"op\":\"add\",\"path\":\"/webhooks/$i/clientConfig/caBundle\",\"value\":\"Y2E=\"}]" >/dev/null
        done
    done
    kubectl diff -k "$OVERLAYS/kubernetes-1.16" || fail 'differs when the caBundle is set'
    assert_eq '' "$(kubectl apply -k "$OVERLAYS/kubernetes-1.16" | grep -v unchanged)" 'what applying again changes'
    kubectl apply --server-side --force-conflicts -k "$OVERLAYS/kubernetes-1.16" >/dev/null
    for config in "${CONFIGS[@]}"; do
        assert_eq '["Y2E="]' \
            "$(kubectl get "$config" -o json | jq -c '[.webhooks[].clientConfig.caBundle] | unique')" "caBundles of $config"
    done
}

# every field that this API server fills in is written there already, so that tools which compare see no difference
test_defaults_spelled_out() {
    local folder
    here
    for folder in base overlays/validation-fail overlays/cert-manager overlays/openshift-service-ca; do
        served "$WM_ROOT/manifests/$folder" >"$E2E_TEST_DIR/all.yaml"
        objects <"$E2E_TEST_DIR/all.yaml" | jq -c 'select(.kind != "Namespace")' >"$E2E_TEST_DIR/objects"
        elsewhere <"$E2E_TEST_DIR/objects" | kubectl create --dry-run=server -o json -f - |
            jq -c '(.items // [.])[]' | and_back | bare >"$E2E_TEST_DIR/served"
        bare <"$E2E_TEST_DIR/objects" >"$E2E_TEST_DIR/written"
        [[ -s $E2E_TEST_DIR/written ]] || fail "$folder has no objects"
        diff "$E2E_TEST_DIR/written" "$E2E_TEST_DIR/served" || fail "$folder leaves fields to the API server"
    done
}
# bare: what an operator can write, without what only the server knows
bare() {
    jq -S 'del(.status, .metadata.uid, .metadata.creationTimestamp, .metadata.resourceVersion, .metadata.generation,
        .metadata.managedFields, .metadata.selfLink, .spec.clusterIP, .spec.clusterIPs,
        .spec.template.metadata.creationTimestamp)'
}
# Under their own names the objects may be there already.
elsewhere() {
    kubectl get namespace elsewhere >/dev/null 2>&1 || kubectl create namespace elsewhere >/dev/null
    jq -c 'if .metadata.namespace then .metadata.namespace = "elsewhere"
        elif .kind == "CustomResourceDefinition" then
            .spec.group = "elsewhere." + .spec.group | .metadata.name = .spec.names.plural + "." + .spec.group
        else .metadata.name += "-elsewhere" end'
}
and_back() {
    jq -c 'if .metadata.namespace then .metadata.namespace = "waymark"
        elif .kind == "CustomResourceDefinition" then
            .spec.group |= ltrimstr("elsewhere.") | .metadata.name = .spec.names.plural + "." + .spec.group
        else .metadata.name |= rtrimstr("-elsewhere") end'
}

# with certificates from elsewhere the webhook has no right to Secrets and webhook configurations
test_no_rights_where_none_are_needed() {
    local overlay
    here
    for overlay in cert-manager openshift-service-ca; do
        assert_eq '' "$(served "$OVERLAYS/$overlay" | objects |
            jq -r 'select(.rules) | .rules[].resources[]? | select(test("secret|webhook"))')" "rights of $overlay"
        assert_contains --tls-mode=files "$(served "$OVERLAYS/$overlay" | objects |
            jq -r 'select(.kind == "Deployment" and .metadata.name == "waymark-webhook") |
                .spec.template.spec.containers[0].args[]')"
    done
}

# may VERB RESOURCE ...: yes or no, for the webhook
may() { kubectl auth can-i "$@" --as=system:serviceaccount:waymark:waymark-webhook 2>/dev/null; }

# what the webhook may do to Secrets and webhook configurations is bound to its own
test_rights_are_bound() {
    here
    kubectl apply -k "$OVERLAYS/kubernetes-1.16" >/dev/null
    assert_eq yes "$(may update secrets/waymark-webhook-tls -n waymark)"
    assert_eq no "$(may get secrets/another -n waymark)"
    assert_eq no "$(may list secrets -n waymark)"
    assert_eq no "$(may delete secrets/waymark-webhook-tls -n waymark)"
    assert_eq no "$(may create secrets -n default)"
    assert_eq yes "$(may patch mutatingwebhookconfigurations/waymark-labels)"
    assert_eq no "$(may patch mutatingwebhookconfigurations/another)"
    assert_eq no "$(may create mutatingwebhookconfigurations)"
    assert_eq yes "$(may patch validatingwebhookconfigurations/waymark-validation)"
    assert_eq no "$(may patch validatingwebhookconfigurations/another)"
    assert_eq no "$(may update migmigrations.migration.openshift.io -A)"
    assert_eq no "$(may watch migplans.migration.openshift.io -A)"
    assert_eq no "$(may list persistentvolumeclaims -A)"
    assert_eq no "$(may get secrets -n openshift-migration)"
    assert_eq no "$(may list pods -A)"
}

# the overlay that grants Secrets grants reading them by name, in its two namespaces, and no more
test_secret_lookups_are_narrow() {
    local namespace
    here
    kubectl apply -k "$OVERLAYS/kubernetes-1.16" >/dev/null
    kubectl apply -k "$OVERLAYS/secret-lookups" >/dev/null
    for namespace in openshift-config openshift-migration; do
        assert_eq yes "$(may get secrets -n $namespace)"
        assert_eq no "$(may list secrets -n $namespace)"
        assert_eq no "$(may watch secrets -n $namespace)"
    done
    assert_eq no "$(may get secrets -n kube-system)"
    kubectl delete -k "$OVERLAYS/secret-lookups" >/dev/null
}

# the overlay that fails closed changes that and nothing else, and labels stay open
test_validation_fail() {
    here
    assert_eq 'MutatingWebhookConfiguration Ignore ValidatingWebhookConfiguration Fail' \
        "$(served "$OVERLAYS/validation-fail" | objects | jq -r 'select(.webhooks) | "\(.kind) \([.webhooks[].failurePolicy] | unique | join(","))"' |
            sort | xargs)"
    diff <(served "$WM_ROOT/manifests/base") <(served "$OVERLAYS/validation-fail" | sed 's/failurePolicy: Fail/failurePolicy: Ignore/')
}

# an old API server that drops selectors is never told of updates, Jobs, Pods or PVCs
test_legacy_is_narrow() {
    here
    assert_eq '["CREATE"] infra.virtrigaud.io migration.openshift.io velero.io' "$(served "$OVERLAYS/legacy-v1beta1" | objects |
        jq -r 'select(.kind == "MutatingWebhookConfiguration") | [.webhooks[].rules[]] |
            "\([.[].operations[]] | unique) \([.[].apiGroups[]] | unique | join(" "))"')"
    assert_eq '["CREATE"] infra.virtrigaud.io migration.openshift.io' "$(served "$OVERLAYS/legacy-v1beta1" | objects |
        jq -r 'select(.kind == "ValidatingWebhookConfiguration") | [.webhooks[].rules[]] |
            "\([.[].operations[]] | unique) \([.[].apiGroups[]] | unique | join(" "))"')"
    assert_eq 0 "$(served "$OVERLAYS/legacy-v1beta1" | grep -c objectSelector)"
}

# where no Lease can be held there is one aggregator only
test_legacy_elects_nobody() {
    here
    served "$OVERLAYS/legacy-v1beta1" | objects >"$E2E_TEST_DIR/objects"
    assert_eq '1 Recreate true' "$(jq -r 'select(.kind == "Deployment" and .metadata.name == "waymark-aggregator") | .spec |
        "\(.replicas) \(.strategy.type) \(.template.spec.containers[0].args | contains(["--leader-election=false"]))"' \
        "$E2E_TEST_DIR/objects")"
    assert_eq '' "$(jq -r 'select(.rules) | .rules[].resources[]? | select(. == "leases")' "$E2E_TEST_DIR/objects")" \
        'rights to Leases'
}

# the account for other clusters can be applied beside the webhook: the namespace is the same
test_remote_beside_base() {
    here
    assert_eq "$(namespace_of base)" "$(namespace_of remote)"
}
namespace_of() { kubectl kustomize "$WM_ROOT/manifests/$1" | objects | jq -cS 'select(.kind == "Namespace") | .metadata'; }

# both programs know the flags and the configuration that they are given
test_flags_are_known() {
    here
    local program
    served "$WM_ROOT/manifests/base" | objects >"$E2E_TEST_DIR/objects"
    for program in webhook aggregator; do
        jq -r --arg name "waymark-$program-config" 'select(.kind == "ConfigMap" and .metadata.name == $name) |
            .data["config.yaml"]' "$E2E_TEST_DIR/objects" | sed 's/^# //' >"$E2E_TEST_DIR/config.yaml"
        [[ -s $E2E_TEST_DIR/config.yaml ]] || fail "$program has no configuration"
        mapfile -t args < <(jq -r --arg name "waymark-$program" '
            select(.kind == "Deployment" and .metadata.name == $name) |
            .spec.template.spec.containers[0].args[]' "$E2E_TEST_DIR/objects" | sed "s#/config/#$E2E_TEST_DIR/#")
        "$WM_BUILD/release/$program/waymark-$program" "${args[@]}" --print-config >/dev/null ||
            fail "$program refuses ${args[*]}"
    done
}

#!/usr/bin/env bash
# The alerts are valid, fire on one side of their limits and not on the other, and lead to a heading of the manual; what
# collects their series finds the pods.
set -euo pipefail
cd "$(dirname "$0")/../.."
overlay=manifests/overlays/alerts
failed=0
fail() {
    echo "alerts: $*" >&2
    failed=1
}

# rules: what Prometheus reads, out of what its operator reads
rules() { awk 'inside { sub(/^  /, ""); print } /^spec:/ { inside = 1 }' $overlay/alerts.yaml; }

while read -r page anchor; do
    grep '^#' "$page" | tr '[:upper:]' '[:lower:]' | sed 's/^#* //' | grep -qx "$anchor" || fail "$page has no heading $anchor"
done < <(sed -n 's/^ *runbook: \(.*\)#\(.*\)/\1 \2/p' $overlay/alerts.yaml)

while read -r alert; do
    grep -q "^### $alert\$" manifests/README.md || fail "manifests/README.md says nothing of $alert"
    grep -q "alertname: $alert\$" tests/alerts/alerts.test.yaml || fail "tests/alerts/alerts.test.yaml never sees $alert fire"
done < <(sed -n 's/^ *- alert: //p' $overlay/alerts.yaml)

while read -r series; do
    grep -rqs "\"$series\"" aggregator webhook lib || fail "no program has the metric $series"
done < <(rules | grep -o 'waymark_[a-z_]*' | sort -u)

while read -r _ _ port; do
    [[ $(grep -c "^ *- name: $port\$" manifests/base/deployment.yaml manifests/base/aggregator.yaml | grep -c ':1$') == 2 ]] ||
        fail "not both programs have a port $port"
done < <(grep -- '- port: ' $overlay/podmonitors.yaml)
while read -r key value; do
    grep -qs "^ *$key $value\$" manifests/base/deployment.yaml manifests/base/aggregator.yaml || fail "no pod has $key $value"
done < <(awk '/matchLabels:/ { getline; print }' $overlay/podmonitors.yaml)

if promtool=$(bash tests/dev/promtool.sh); then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    rules >"$work/rules.yaml"
    cp tests/alerts/alerts.test.yaml "$work"
    "$promtool" check rules "$work/rules.yaml" || fail 'promtool refuses the rules'
    "$promtool" test rules "$work/alerts.test.yaml" || fail 'an alert fires when it should not, or says something else'
else
    echo 'alerts: without promtool the rules themselves were not tried'
fi

((failed)) || echo 'alerts: they fire as they should'
exit $failed

#!/usr/bin/env bash
# Writes the goldens as seeds for the fuzzers, one a file: as AdmissionReviews, as the objects of a situation, or as what
# a dump has of each of its clusters.
# Usage: seeds.sh review|validate|model|analyze DIR
set -euo pipefail
declare -A folders=([review]=admission [validate]=validation [model]=situation [analyze]=situation)
cd "$(dirname "$0")/../golden/${folders[$1]}"
mkdir -p "$2"
for file in *.json; do
    if [[ $1 == model ]]; then
        jq -c '{clusters}' "$file" >"$2/$file"
        continue
    fi
    if [[ $1 == analyze ]]; then
        jq -r '[.clusters[] | {apiVersion: "v1", kind: "List", items: .} | tojson] | join("\n===\n")' "$file" >"$2/$file"
        continue
    fi
    jq -c '(if .operation == "DELETE" then null else .object end) as $new | (.oldObject // (if $new then null else .object end)) as $old |
        {kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", request: {uid: "u-1",
        kind: {group: (.object.apiVersion | split("/") | if length > 1 then .[0] else "" end), kind: .object.kind},
        operation: (.operation // "CREATE"), namespace: (.namespace // .object.metadata.namespace), object: $new, oldObject: $old}}
        + if .cluster then {facts: .cluster} else {} end' "$file" >"$2/${file%.json}"
done

#!/usr/bin/env bash
# Writes the goldens as AdmissionReviews, one a file: seeds for the review fuzzer. Usage: seeds.sh DIR
set -euo pipefail
cd "$(dirname "$0")/../golden/admission"
mkdir -p "$1"
for file in *.json; do
    jq -c '{kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", request: {uid: "u-1",
        kind: {group: (.object.apiVersion | split("/") | if length > 1 then .[0] else "" end), kind: .object.kind},
        operation: (.operation // "CREATE"), namespace: (.namespace // .object.metadata.namespace), object: .object}}' \
        "$file" >"$1/${file%.json}"
done

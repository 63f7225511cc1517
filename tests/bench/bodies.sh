#!/usr/bin/env bash
# Writes the AdmissionReviews of the benchmark into a folder: bodies.sh DIR
set -euo pipefail
dir=$1

# object BYTES LABELS: a MigMigration padded to about BYTES by a status as mig-controller writes it.
object() {
    awk -v bytes="$1" -v labels="$2" 'BEGIN {
        printf "{\"apiVersion\":\"migration.openshift.io/v1alpha1\",\"kind\":\"MigMigration\",\"metadata\":{"
        printf "\"name\":\"migration-aaaaa\",\"namespace\":\"openshift-migration\",\"uid\":\"85d81222-f2fb-4457-817f-077139210b18\","
        printf "\"creationTimestamp\":\"2026-11-21T07:18:00Z\",\"generation\":1,\"annotations\":{\"openshift.io/touch\":\"ed8f2dd3-5da8-4a46-b81a-3a8a5b734aac\"}%s},", labels
        printf "\"spec\":{\"migPlanRef\":{\"name\":\"nginx-plan\",\"namespace\":\"openshift-migration\"},\"stage\":false,\"quiescePods\":true},"
        printf "\"status\":{\"phase\":\"StageRestoreCreated\",\"itinerary\":\"Final\",\"conditions\":["
        n = 700
        for (i = 0; n < bytes; i++) {
            item = sprintf("%s{\"type\":\"Condition%d\",\"status\":\"True\",\"category\":\"Advisory\",\"reason\":\"StageRestoreCreated\",\"message\":\"Step: 24/37, waits for \\\"Restore openshift-migration/migration-aaaaa-stage-rw2w6\\\"\",\"lastTransitionTime\":\"2026-11-21T07:18:00Z\"}", i ? "," : "", i)
            printf "%s", item
            n += length(item)
        }
        printf "]}}"
    }'
}

# review OPERATION OBJECT OLD
review() {
    printf '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","kind":{"group":"migration.openshift.io","version":"v1alpha1","kind":"MigMigration"},"resource":{"group":"migration.openshift.io","version":"v1alpha1","resource":"migmigrations"},"requestKind":{"group":"migration.openshift.io","version":"v1alpha1","kind":"MigMigration"},"requestResource":{"group":"migration.openshift.io","version":"v1alpha1","resource":"migmigrations"},"name":"migration-aaaaa","namespace":"openshift-migration","operation":"%s","userInfo":{"username":"system:serviceaccount:openshift-migration:migration-controller","uid":"a","groups":["system:serviceaccounts","system:authenticated"]},"object":%s,"oldObject":%s,"dryRun":false,"options":{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}}' "$1" "$2" "$3"
}

labelled=',"labels":{"migration.openshift.io/migplan-name":"nginx-plan","migrations.openshift.io/migPlanName":"nginx-plan","migration.openshift.io/migmigration-name":"migration-aaaaa","added-label":"yes"}'
review CREATE "$(object 1000 '')" null >"$dir/2k.json"
review CREATE "$(object 9000 '')" null >"$dir/10k.json"
review CREATE "$(object 99000 '')" null >"$dir/100k.json"
review UPDATE "$(object 250000 '')" "$(object 250000 '')" >"$dir/500k-update.json"
review CREATE "$(object 1000000 '')" null >"$dir/1m.json"
review UPDATE "$(object 1000 "$labelled")" null >"$dir/2k-labelled.json"
# nearly the largest that an API server can send: linear time shows beside 1m
review UPDATE "$(object 13500000 '')" "$(object 13500000 '')" >"$dir/27m-update.json"

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

# plan BYTES: a MigPlan with so many volumes that it has about BYTES
plan() {
    awk -v bytes="$1" 'BEGIN {
        printf "{\"apiVersion\":\"migration.openshift.io/v1alpha1\",\"kind\":\"MigPlan\",\"metadata\":{\"name\":\"nginx-plan\",\"namespace\":\"openshift-migration\"},"
        printf "\"spec\":{\"destMigClusterRef\":{\"name\":\"host\",\"namespace\":\"openshift-migration\"},\"migStorageRef\":{\"name\":\"bucket\",\"namespace\":\"openshift-migration\"},"
        printf "\"namespaces\":[\"app-1\",\"app-2:app-two\",\"app-3\"],\"srcMigClusterRef\":{\"name\":\"source\",\"namespace\":\"openshift-migration\"},\"persistentVolumes\":["
        n = 900
        for (i = 0; n < bytes; i++) {
            item = sprintf("%s{\"capacity\":\"10Gi\",\"name\":\"pvc-%08d-6a1f-4c8e-9d2b-3f5e7a9c1b2d\",\"proposedCapacity\":\"0\",\"pvc\":{\"accessModes\":[\"ReadWriteOnce\"],\"hasReference\":true,\"name\":\"data-mysql-%d\",\"namespace\":\"app-%d\",\"volumeMode\":\"Filesystem\"},\"selection\":{\"accessMode\":\"auto\",\"action\":\"copy\",\"copyMethod\":\"filesystem\",\"storageClass\":\"gp3\"},\"storageClass\":\"gp2\",\"supported\":{\"actions\":[\"skip\",\"copy\"],\"copyMethods\":[\"filesystem\",\"block\",\"snapshot\"]}}", i ? "," : "", i, i, i % 3 + 1)
            printf "%s", item
            n += length(item)
        }
        printf "]},\"status\":{\"destStorageClasses\":[{\"name\":\"gp2\",\"provisioner\":\"kubernetes.io/aws-ebs\"},{\"default\":true,\"name\":\"gp3\",\"provisioner\":\"ebs.csi.aws.com\"}]}}"
    }'
}

# review OPERATION OBJECT OLD [KIND RESOURCE NAME]
review() {
    local kind=${4:-MigMigration} resource=${5:-migmigrations} name=${6:-migration-aaaaa}
    printf '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002",'
    printf '"kind":{"group":"migration.openshift.io","version":"v1alpha1","kind":"%s"},"resource":{"group":"migration.openshift.io","version":"v1alpha1","resource":"%s"},' "$kind" "$resource"
    printf '"requestKind":{"group":"migration.openshift.io","version":"v1alpha1","kind":"%s"},"requestResource":{"group":"migration.openshift.io","version":"v1alpha1","resource":"%s"},' "$kind" "$resource"
    printf '"name":"%s","namespace":"openshift-migration","operation":"%s","userInfo":{"username":"system:serviceaccount:openshift-migration:migration-controller","uid":"a","groups":["system:serviceaccounts","system:authenticated"]},' "$name" "$1"
    printf '"object":%s,"oldObject":%s,"dryRun":false,"options":{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}}' "$2" "$3"
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
# for validation, beside the mutating path
review CREATE "$(plan 9000)" null MigPlan migplans nginx-plan >"$dir/plan-10k.json"
review CREATE "$(plan 199000)" null MigPlan migplans nginx-plan >"$dir/plan-200k.json"
review UPDATE "$(plan 99000)" "$(plan 98500)" MigPlan migplans nginx-plan >"$dir/plan-200k-update.json"

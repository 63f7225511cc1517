# shellcheck shell=bash
# What strangers send to the webhook's port: a clear Status or a close, never a denial, never harm to others.
# The many ways of half-open and hostile connections are in tests/unit/test_server.c.

case_begin() {
    PORT=$(free_port) HEALTH=$(free_port)
    mkdir "$E2E_CASE_DIR/tls"
    new_ca "$E2E_CASE_DIR/ca" test
    new_certificate "$E2E_CASE_DIR/ca" "$E2E_CASE_DIR/tls/tls" /CN=localhost DNS:localhost IP:127.0.0.1
    bash "$WM_ROOT/tests/bench/bodies.sh" "$E2E_CASE_DIR"
    spawn "$E2E_CASE_DIR" alone "$WEBHOOK" serve --listen "127.0.0.1:$PORT" --health-listen "127.0.0.1:$HEALTH" \
        --tls-mode files --tls-dir "$E2E_CASE_DIR/tls" --parents=false --drain-s 0
    printf 'PORT=%s HEALTH=%s\n' "$PORT" "$HEALTH" >"$E2E_CASE_DIR/ports"
    eventually 10 webhook_ready "$HEALTH" >/dev/null
}

# post FILE [CURL_OPTION...]: prints the HTTP status, the answer is in $E2E_TEST_DIR/answer
post() {
    local file=$1
    shift
    # shellcheck disable=SC1091
    source "$E2E_CASE_DIR/ports"
    curl -sS --noproxy '*' --cacert "$E2E_CASE_DIR/ca.crt" --max-time 30 -o "$E2E_TEST_DIR/answer" -w '%{http_code}' \
        -H 'Content-Type: application/json' --data-binary "@$file" "$@" "https://127.0.0.1:$PORT${URL_PATH:-/mutate}"
}
answer() { jq -r "$1" "$E2E_TEST_DIR/answer"; }
unharmed() {
    # shellcheck disable=SC1091
    source "$E2E_CASE_DIR/ports"
    pid_of "$E2E_CASE_DIR" alone >/dev/null || fail 'the webhook has ended'
    assert_eq 200 "$(post "$E2E_CASE_DIR/2k.json")" 'a good review afterwards'
    assert_eq true "$(answer .response.allowed)"
}
# status CODE REASON FILE [CURL_OPTION...]: the answer is that HTTP status with a v1 Status of that reason
status() {
    local code=$1 reason=$2
    shift 2
    assert_eq "$code" "$(post "$@")" 'HTTP status'
    assert_eq "Status v1 Failure $reason $code" "$(answer '"\(.kind) \(.apiVersion) \(.status) \(.reason) \(.code)"')" 'Status'
    [[ $(answer .message) != '' ]] || fail 'the Status has no message'
}

# a review is answered with its uid, allowed, with a JSON patch
test_good_review() {
    assert_eq 200 "$(post "$E2E_CASE_DIR/2k.json")"
    assert_eq '705ab4f5-6393-11e8-b7cc-42010a800002 true JSONPatch' \
        "$(answer '"\(.response.uid) \(.response.allowed) \(.response.patchType)"')"
    assert_contains /metadata/labels "$(answer '.response.patch | @base64d')"
}

# a review in v1beta1 is answered in v1beta1
test_v1beta1() {
    sed 's#admission.k8s.io/v1"#admission.k8s.io/v1beta1"#' "$E2E_CASE_DIR/2k.json" >"$E2E_TEST_DIR/beta"
    assert_eq 200 "$(post "$E2E_TEST_DIR/beta")"
    assert_eq admission.k8s.io/v1beta1 "$(answer .apiVersion)"
}

# wrong content type, path and method are refused before the body is read
test_wrong_requests() {
    status 415 UnsupportedMediaType "$E2E_CASE_DIR/2k.json" -H 'Content-Type: text/plain'
    URL_PATH=/other status 404 NotFound "$E2E_CASE_DIR/2k.json"
    status 405 MethodNotAllowed "$E2E_CASE_DIR/2k.json" -X PUT
    unharmed
}

# broken bodies get 400 and a message; the uid is named whenever it could be read
test_broken_bodies() {
    local body=$E2E_CASE_DIR/2k.json out=$E2E_TEST_DIR/broken uid=705ab4f5-6393-11e8-b7cc-42010a800002
    : >"$out" && status 400 BadRequest "$out"
    head -c 500 "$body" >"$out" && status 400 BadRequest "$out" && assert_eq "$uid" "$(answer .details.uid)" uid
    { cat "$body" && printf x; } >"$out" && status 400 BadRequest "$out" && assert_eq "$uid" "$(answer .details.uid)" uid
    sed 's#admission.k8s.io/v1"#admission.k8s.io/v9"#' "$body" >"$out" && status 400 BadRequest "$out"
    assert_eq "$uid" "$(answer .details.uid)" uid
    sed 's/"uid":"705ab4f5[^"]*",//' "$body" >"$out" && status 400 BadRequest "$out"
    sed 's/"metadata":{/"metadata":{},"metadata":{/' "$body" >"$out" && status 400 BadRequest "$out"
    sed 's/nginx-plan/\xff\xfe/' "$body" >"$out" && status 400 BadRequest "$out"
    printf '[%.0s' {1..100000} >"$out" && status 400 BadRequest "$out"
    printf '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}' >"$out" && status 400 BadRequest "$out"
    unharmed
}

# the largest review that an API server can send is answered, a larger one gets 413
test_sizes() {
    local out=$E2E_TEST_DIR/large n
    large() { # BYTES: a review of about so many
        {
            sed 's/"spec":{.*//' "$E2E_CASE_DIR/2k.json" | tr -d '\n'
            printf '"spec":{"migPlanRef":{"name":"p"},"x":"'
            head -c "$1" /dev/zero | tr '\0' a
            printf '"}}}}'
        } >"$out"
    }
    large $((28 * 1048576 - 4096))
    assert_eq 200 "$(post "$out")" 'a review of nearly 28 MiB'
    assert_eq true "$(answer .response.allowed)"
    large $((28 * 1048576 + 65536))
    n=$(wc -c <"$out")
    ((n > 28 * 1048576)) || fail "the large body has $n bytes"
    status 413 RequestEntityTooLarge "$out"
    unharmed
    # what was large is given back (a sanitizer keeps it)
    [[ -z ${WAYMARK_WEBHOOK:-} ]] || return 0
    ((n = $(awk '/^VmRSS/ { print $2 }' "/proc/$(pid_of "$E2E_CASE_DIR" alone)/status"), n < 32768)) || fail "resident memory afterwards: $n KiB"
}

# health, readiness and metrics on the other port; nothing else there
test_pages() {
    # shellcheck disable=SC1091
    source "$E2E_CASE_DIR/ports"
    assert_eq ok "$(webhook_get healthz "$HEALTH")"
    assert_contains 'readyz check passed' "$(webhook_get readyz "$HEALTH")"
    assert_contains 'waymark_build_info{version=' "$(webhook_get metrics "$HEALTH")"
    refused webhook_get mutate "$HEALTH" >/dev/null
}

# the log has one JSON line a review, and no label value or body in it
test_log() {
    sed 's/nginx-plan/canary-plan/; s/StageRestoreCreated/canary-phase/g' "$E2E_CASE_DIR/2k.json" >"$E2E_TEST_DIR/canary"
    assert_eq 200 "$(post "$E2E_TEST_DIR/canary")"
    assert_eq '["705ab4f5-6393-11e8-b7cc-42010a800002","CREATE","MigMigration","openshift-migration","migration-aaaaa","labelled"]' \
        "$(grep '"ev":"review"' "$E2E_CASE_DIR/alone.log" | tail -n 1 | jq -c '[.uid, .op, .kind, .ns, .name, .verdict]')"
    jq -e . "$E2E_CASE_DIR/alone.log" >/dev/null || fail 'a line of the log is not JSON'
    ! grep -q canary "$E2E_CASE_DIR/alone.log" || fail 'the log tells what was in the object'
}

# bad settings are refused with the option's name, good ones print as a file that reads back
test_settings() {
    assert_contains 'unknown option' "$(refused "$WEBHOOK" serve --frobnicate=1)"
    assert_contains 'act upon' "$(refused "$WEBHOOK" serve --label-plan=migplan --parents=false --tls-mode=files --tls-dir=/nowhere)"
    printf 'drain-s: 5\nloops: x\n' >"$E2E_TEST_DIR/bad.yaml"
    assert_contains "bad.yaml:2:" "$(refused "$WEBHOOK" serve --config "$E2E_TEST_DIR/bad.yaml")"
    WAYMARK_DRAIN_S=7 "$WEBHOOK" serve --loops=3 --print-config >"$E2E_TEST_DIR/good.yaml"
    assert_eq "$(<"$E2E_TEST_DIR/good.yaml")" "$("$WEBHOOK" serve --config "$E2E_TEST_DIR/good.yaml" --print-config)"
    assert_contains 'drain-s: 7' "$(<"$E2E_TEST_DIR/good.yaml")"
    assert_contains "$(sed -n 's/^project(waymark VERSION \([0-9.]*\).*/\1/p' "$WM_ROOT/CMakeLists.txt")" "$("$WEBHOOK" version)"
}

# shellcheck shell=bash
# Leader election against a real API server, with the rights get, create and update on leases and no others: of two
# candidates, a and b, one writes at a time, whatever happens to it.

PROBE=$WM_BUILD/release/tests/lease_probe

# candidates: a, who leads, and b, in a namespace of their own
candidates() {
    own_namespace
    kubectl create serviceaccount probe -n "$NAMESPACE" >/dev/null
    kubectl create role probe -n "$NAMESPACE" --verb=get,create,update --resource=leases.coordination.k8s.io >/dev/null
    allow
    kubectl create token probe -n "$NAMESPACE" >"$E2E_TEST_DIR/token"
    kubeconfig_with token >"$E2E_TEST_DIR/kubeconfig"
    candidate a
    eventually 10 says a leading
    candidate b
    eventually 10 says b '{.*"ev":"lease_holder".*"holder":"a"'
}
led_again() { (($(times_said a leading) == 2)); }
allow() { kubectl create rolebinding probe -n "$NAMESPACE" --role=probe --serviceaccount="$NAMESPACE:probe" >/dev/null; }
candidate() { spawn "$E2E_TEST_DIR" "$1" "$PROBE" "$E2E_TEST_DIR/kubeconfig" "$NAMESPACE" election "$1"; }

says() { grep -q "^$2" "$E2E_TEST_DIR/$1.log"; }
# said NAME WORD: when it last said so, in ms
said() { grep "^$2 " "$E2E_TEST_DIR/$1.log" | tail -n 1 | cut -d' ' -f2; }
times_said() { grep -c "^$2 " "$E2E_TEST_DIR/$1.log" || true; }
lease() { kubectl get lease election -n "$NAMESPACE" -o jsonpath="{.spec.$1}"; }
holder_is() { [[ $(lease holderIdentity) == "$1" ]]; }

# writers: who wrote, in the order of time, each run of writes once
writers() {
    local name
    for name in a b; do
        awk -v name="$name" '$1 == "write" { print $2, name }' "$E2E_TEST_DIR/$name.log"
    done >"$E2E_TEST_DIR/writes"
    sort -n "$E2E_TEST_DIR/writes" | cut -d' ' -f2 | uniq | xargs
}
# led_after NAME FROM LEAST MOST: it leads since a moment between LEAST and MOST ms after FROM
led_after() {
    local ms=$(($(said "$1" leading) - $2))
    say "$1 led after $ms ms"
    ((ms >= $3 && ms <= $4)) || fail "it should have led after $3 to $4 ms"
}

# one leads and renews, the other looks on; the Lease is one that other programs understand
test_two() {
    local renewed
    candidates
    renewed=$(lease renewTime)
    sleep 5
    assert_eq 'a 15 0' "$(lease holderIdentity) $(lease leaseDurationSeconds) $(lease leaseTransitions)" 'the Lease'
    [[ $(lease renewTime) > $renewed ]] || fail 'it was not renewed'
    [[ $renewed =~ ^[0-9-]+T[0-9:]+\.[0-9]{6}Z$ ]] || fail "renewTime is $renewed"
    assert_eq a "$(writers)" 'who wrote'
}

# a leader that is killed is followed within the duration and a retry period
test_killed() {
    local killed
    candidates
    killed=$(now_ms)
    signal_process "$E2E_TEST_DIR" a KILL
    eventually 20 says b leading
    # it had renewed up to two seconds before
    led_after b "$killed" 12500 17000
    assert_eq 'b 1' "$(lease holderIdentity) $(lease leaseTransitions)" 'the Lease'
    assert_eq 'a b' "$(writers)" 'who wrote'
}

# a leader that stands still for 20 seconds does not write once it goes on
test_stopped() {
    local resumed
    candidates
    signal_process "$E2E_TEST_DIR" a STOP
    sleep 20
    resumed=$(now_ms)
    signal_process "$E2E_TEST_DIR" a CONT
    eventually 5 says a following
    sleep 3
    (($(said a write) < resumed)) || fail "it wrote $(($(said a write) - resumed)) ms after it went on"
    assert_eq b "$(lease holderIdentity)" 'the holder'
    assert_eq 'a b' "$(writers)" 'who wrote'
}

# one that ends in good order is followed within a second
test_released() {
    local ended
    candidates
    sleep 3
    ended=$(now_ms)
    end_processes "$E2E_TEST_DIR" a
    eventually 5 says b leading
    led_after b "$ended" 0 1100
    assert_eq 'b 1' "$(lease holderIdentity) $(lease leaseTransitions)" 'the Lease'
    assert_eq 'a b' "$(writers)" 'who wrote'
}

# a Lease that is deleted is made again by its holder
test_deleted() {
    candidates
    kubectl delete lease election -n "$NAMESPACE" >/dev/null
    eventually 4 holder_is a
    sleep 3
    assert_eq '1 0' "$(times_said a leading) $(times_said a following)" 'how often it led and did not'
    assert_eq a "$(writers)" 'who wrote'
}

# labels that somebody puts on the Lease stay
test_labels() {
    local renewed
    candidates
    kubectl label lease election -n "$NAMESPACE" color=red >/dev/null
    renewed=$(lease renewTime)
    sleep 5
    [[ $(lease renewTime) > $renewed ]] || fail 'it was not renewed'
    assert_label lease election color red
    assert_eq '1 0' "$(times_said a leading) $(times_said a following)" 'how often it led and did not'
}

# without its rights a leader stops in time and says what to grant; with them it goes on
test_rights() {
    local taken
    candidates
    end_processes "$E2E_TEST_DIR" b
    kubectl delete rolebinding probe -n "$NAMESPACE" >/dev/null
    taken=$(now_ms)
    eventually 15 says a following
    (($(said a write) <= taken + 11000)) || fail "it wrote $(($(said a write) - taken)) ms later"
    eventually 1 says a '{.*"ev":"lease_error".*grant get, create and update on leases.coordination.k8s.io'
    (($(grep -c '"ev":"lease_error"' "$E2E_TEST_DIR/a.log") <= 2)) || fail 'it said so again and again'
    allow
    eventually 10 led_again
}

# shellcheck shell=bash
# A recorded watch, replayed faster than any API server sends: see tests/bench/replay.sh.

# every event of a watch that is sent at full speed arrives, in the library and in the program
test_replay_is_complete() {
    local numbers=$E2E_TEST_DIR/replay.json
    bash "$WM_ROOT/tests/bench/replay.sh" --as-built --objects 100 --events 5000 --migrations 2 --rounds 1 \
        --only library,model,following --output "$numbers"
    assert_eq '[5000,5000,5000]' "$(jq -c 'map(.events)' "$numbers")" 'events that arrived'
}

# Counts test cases in the output of ctest -V: cmocka cases, lines of the form "ok - x" and "not ok - x", and a program
# that reports neither as one case. What began and did not end, and a program that fails although all its cases
# passed, count as failed. Prints "failed: PROGRAM: CASE" for each, and "counts: PASSED FAILED SKIPPED" last.

function lost(id) {
    if (open[id] != "") fail(id, open[id] " (did not end)")
    open[id] = ""
}
function fail(id, name) {
    failed[id]++
    names[id] = names[id] (names[id] == "" ? "" : "\n") name
}

match($0, /^[0-9]+: /) {
    id = substr($0, 1, RLENGTH - 2)
    line = substr($0, RLENGTH + 1)
    if (line ~ /^\[ RUN      \] /) {
        lost(id)
        open[id] = substr(line, 14)
        cases[id]++
    } else if (open[id] != "" && line ~ /^\[       OK \] /) {
        passed[id]++
        open[id] = ""
    } else if (open[id] != "" && line ~ /^\[  SKIPPED \] /) {
        skipped[id]++
        open[id] = ""
    } else if (open[id] != "" && line ~ /^\[  FAILED  \] /) {
        fail(id, open[id])
        open[id] = ""
    } else if (line ~ /^ok [0-9]* ?- .*# SKIP/) {
        cases[id]++
        skipped[id]++
    } else if (line ~ /^ok [0-9]* ?- /) {
        cases[id]++
        passed[id]++
    } else if (line ~ /^not ok [0-9]* ?- /) {
        cases[id]++
        sub(/^not ok [0-9]* ?- /, "", line)
        fail(id, line)
    }
    next
}

# The verdict on a program: " 3/9 Test  #3: name ......   Passed    0.01 sec"
match($0, /Test +#[0-9]+: /) && / sec$| sec .*$/ {
    id = substr($0, RSTART, RLENGTH)
    gsub(/[^0-9]/, "", id)
    program = substr($0, RSTART + RLENGTH)
    sub(/ .*/, "", program)
    lost(id)
    if (/\*\*\*Skipped/) {
        if (!cases[id]) skipped[id]++
    } else if (/ Passed +[0-9]/) {
        if (!cases[id]) passed[id]++
    } else if (!failed[id]) {
        what = $0
        sub(/.*\*\*\*/, "", what)
        sub(/ +[0-9.]+ sec.*/, "", what)
        fail(id, what)
    }
    for (i = split(names[id], list, "\n"); i > 0; i--) print "failed: " program ": " list[i]
    total_passed += passed[id]
    total_failed += failed[id]
    total_skipped += skipped[id]
}

END { printf "counts: %d %d %d\n", total_passed, total_failed, total_skipped }

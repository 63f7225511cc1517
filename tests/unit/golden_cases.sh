# shellcheck shell=bash
# Sourced by the runners of golden folders, which define run and check, in the folder of the cases.
# golden_cases [CASE...]: runs those, or all; the status is 1 when one of them failed
golden_cases() {
    local name failed=0 cases=("$@")
    ((${#cases[@]})) || cases=(*/)
    for name in "${cases[@]%/}"; do
        if (cd "$name" && run && check); then
            echo "ok - $name"
        else
            echo "not ok - $name"
            failed=1
        fi
    done
    return $failed
}

# golden_compare FOLDER FILE...: each of these files, which came of the case in FOLDER, with the one that is here
golden_compare() {
    local file folder=$1
    shift
    for file in "$@"; do
        if [[ -n ${WAYMARK_GOLDEN_UPDATE:-} ]]; then cp "$folder/$file" "$file"; fi
        diff -u "$file" "$folder/$file" || return 1
    done
}

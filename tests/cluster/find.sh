# shellcheck shell=bash
# Where the programs of a control plane lie. Sourced.
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../dev/lib.sh"

# Names the set of changes that assets.sh makes to the source: part of the folder's name, so that programs from an
# older set are not taken for current ones.
WM_MENDS=mends1

# find_program NAME: prints the path of a program, or fails
find_program() {
    local path
    if [[ -n ${KUBEBUILDER_ASSETS:-} && -x $KUBEBUILDER_ASSETS/$1 ]]; then
        printf '%s\n' "$KUBEBUILDER_ASSETS/$1"
    elif path=$(command -v "$1"); then
        printf '%s\n' "$path"
    else
        path=$(printf '%s\n' "$WM_CACHE"/kubernetes-*+"$WM_MENDS/bin/$1" | sort -V | tail -n 1)
        [[ -x $path ]] && printf '%s\n' "$path"
    fi
}

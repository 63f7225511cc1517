# shellcheck shell=bash
# Helpers around kubectl for the demo and the end-to-end tests. Sourced; $KUBECONFIG says which cluster.
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# kubectl remembers what kinds a server has by its address. Addresses come back here with other kinds behind them, so
# each kubeconfig gets a memory of its own, which goes with the cluster.
kubectl() { command kubectl --cache-dir "$(dirname "$KUBECONFIG")/kubectl-cache" "$@"; }

# render FILE [NAME=VALUE...]: prints FILE with each ${NAME} replaced; a ${...} that is left over is an error
render() {
    local text assignment name
    text=$(<"$1")
    for assignment in "${@:2}"; do
        name=${assignment%%=*}
        text=${text//"\${$name}"/"${assignment#*=}"}
    done
    if [[ $text =~ \$\{[A-Z_]+\} ]]; then
        say "$1: no value given for ${BASH_REMATCH[0]}"
        return 1
    fi
    printf '%s\n' "$text"
}

# create_from FILE [NAME=VALUE...]: creates the one object in FILE and prints the name that the server gave it
create_from() {
    local text created
    text=$(render "$@") || return
    created=$(kubectl create -f - -o name <<<"$text") || return
    printf '%s\n' "${created#*/}"
}

# uid_of KIND NAME [NAMESPACE]
uid_of() { kubectl get "$1" "$2" ${3:+-n "$3"} -o jsonpath='{.metadata.uid}'; }

# label_of KIND NAME KEY [NAMESPACE]: prints the label's value; nothing and failure when there is no such label
label_of() {
    local value
    value=$(kubectl get "$1" "$2" ${4:+-n "$4"} -o json | jq -r --arg key "$3" '.metadata.labels[$key] // empty') || return
    [[ -n $value ]] && printf '%s\n' "$value"
}

# apply_crds FILE_OR_FOLDER...: applies definitions and waits until the server serves them
apply_crds() {
    local path
    local -a files=()
    for path in "$@"; do
        [[ -e $path ]] || die "$path is not there"
        files+=(-f "$path")
    done
    kubectl apply "${files[@]}" >/dev/null
    kubectl wait --for=condition=Established --timeout=30s crd --all >/dev/null
    # Established comes a moment before discovery and the handlers know about it.
    eventually 30 kinds_served
}

# kinds_served: the server serves every kind that it has a definition for
kinds_served() {
    local kinds
    kinds=$(kubectl get crd -o jsonpath='{range .items[*]}{.spec.names.plural}.{.spec.group},{end}') &&
        kubectl get "${kinds%,}" --all-namespaces -o name >/dev/null
}

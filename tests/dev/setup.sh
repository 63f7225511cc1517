#!/usr/bin/env bash
# Installs from Debian what the project needs and this machine lacks, and says what each is for.
# Usage: ./dev setup [--yes] [--only PURPOSE[,PURPOSE...]]
#
#   --yes    do not ask, even on a terminal
#   --only   build, test, lint, cluster, assets, node, bench or all (the default, without node); cluster includes assets
#   --list   print the table and install nothing
#
# Needs root or sudo only when something is missing. A tool found in PATH counts, wherever it came from. Of the package
# prometheus only promtool is taken (lint: the alerts), into the cache.
set -euo pipefail
# shellcheck source=tests/dev/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# purpose, package, the command that makes the package needless when it is in PATH (- for none), what it is for
packages() {
    cat <<'END'
build    gcc                                    gcc              the compiler
build    libc6-dev                              -                headers of the C library
build    cmake                                  cmake            writes the build files
build    ninja-build                            ninja            runs them
build    pkg-config                             pkg-config       finds the libraries
build    libmicrohttpd-dev                      -                HTTP for the webhook and the status page
build    libssl-dev                             -                TLS and certificates
build    libcjson-dev                           -                JSON
build    libcurl4-openssl-dev                   -                the client of the Kubernetes API
build    libyaml-dev                            -                configuration and kubeconfig files
build    libarchive-dev                         -                archives of must-gather
build    libcmocka-dev                          -                unit tests
test     clang                                  clang            fuzzers and the thread sanitizer
test     libclang-rt-14-dev                     -                their runtime
test     llvm                                   llvm-symbolizer  readable stack traces from them
test     openssl                                openssl          certificates in tests
test     curl                                   curl             raw requests in tests
test     python3                                python3          hostile clients and servers in tests
test     procps                                 ps               process tables in tests
test     jq                                     jq               makes the fuzzers' seeds of the goldens
lint     clang-format                           clang-format     formatting of C
lint     clang-tidy                             clang-tidy       static analysis of C
lint     cppcheck                               cppcheck         static analysis of C, by other means
lint     shellcheck                             shellcheck       static analysis of shell
lint     jq                                     jq               reads the list of compile commands
lint     git                                    git              the list of files to check
cluster  etcd-server                            etcd             the store below a Kubernetes API server
cluster  kubernetes-client                      kubectl          talks to the clusters
cluster  openssl                                openssl          certificates of the clusters
cluster  curl                                   curl             asks whether a cluster is ready
cluster  jq                                     jq               reads objects in tests
cluster  procps                                 pgrep            looks for what a test should have ended
assets   golang-go                              go               compiles the Kubernetes control plane
assets   golang-github-modern-go-reflect2-dev   -                replaces an old library in it that newer Go breaks
assets   dpkg-dev                               dpkg-source      unpacks its source package
assets   make                                   make             drives its build
assets   gcc                                    gcc              compiles the parts of a node that use C
assets   libc6-dev                              -                the same
assets   rsync                                  rsync            used by its build
assets   jq                                     jq               used by its build
node     containerd                             containerd       runs containers
node     runc                                   runc             starts each of them
node     containernetworking-plugins            -                connects pods to a bridge
node     iproute2                               ip               makes the bridge
node     busybox-static                         -                all that is in the pods' image
bench    wrk                                    wrk              makes load
bench    jq                                     jq               counts
bench    bsdextrautils                          column           prints the table
bench    curl                                   curl             the floor to compare with
END
}

quiet='' yes='' list='' only=all
while (($#)); do
    case $1 in
        --yes | -y) yes=1 ;;
        --quiet) quiet=1 ;;
        --list) list=1 ;;
        --only)
            only=$(option_value "$@")
            shift
            ;;
        --only=*) only=${1#*=} ;;
        -h | --help)
            usage "$0"
            exit
            ;;
        *) die "setup knows no option $1; see ./dev setup --help" ;;
    esac
    shift
done

purposes=,$only,
[[ $only != all ]] || purposes=,build,test,lint,cluster,assets,bench,
# Who asks for clusters by hand wants all that it takes; the scripts ask for assets only when they have to build them.
[[ $purposes != *,cluster,* || -n $quiet ]] || purposes+=assets,
for purpose in ${only//,/ }; do
    [[ $purpose == all ]] || packages | grep -q "^$purpose " || die "setup knows no purpose $purpose; see ./dev setup --help"
done

if [[ -n $list ]]; then
    packages
    exit
fi

# One question to dpkg about everything that no command in PATH answers.
declare -A reasons=() installed=()
wanted=()
while read -r purpose package command reason; do
    [[ $purposes == *,$purpose,* && -z ${reasons[$package]:-} ]] || continue
    [[ $command == - ]] || ! have "$command" || continue
    reasons[$package]="$reason ($purpose)"
    wanted+=("$package")
done < <(packages)

# Not a row of the table: installing prometheus would start it.
fetch_promtool() {
    [[ $purposes != *,lint,* ]] || bash "$WM_ROOT/tests/dev/promtool.sh" >/dev/null ||
        warn 'there is no promtool: the alerts will not be tried'
}

missing=()
if ((${#wanted[@]})); then
    have dpkg-query || die "this is no Debian system; install by hand what ./dev setup --list names"
    while read -r package state; do
        [[ $state != installed ]] || installed[$package]=1
    done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true)
    for package in "${wanted[@]}"; do
        [[ -n ${installed[$package]:-} ]] || missing+=("$package")
    done
fi
if ((${#missing[@]} == 0)); then
    fetch_promtool
    [[ -n $quiet ]] || say "setup: all that $only needs is there"
    exit 0
fi

say "setup: ${#missing[@]} Debian packages are missing:"
for package in "${missing[@]}"; do
    printf '  %-38s %s\n' "$package" "${reasons[$package]}" >&2
done

as_root=()
if ((UID != 0)); then
    have sudo || die "installing them takes root and there is no sudo; as root: apt-get install --no-install-recommends ${missing[*]}"
    as_root=(sudo)
fi
if [[ -z $yes && -t 0 && -t 2 ]]; then
    read -rp "Install them with ${as_root[*]:+sudo }apt-get? [Y/n] " answer
    [[ ${answer:-y} == [yY]* ]] || die "nothing was installed"
fi

# etcd-server and containerd bring system services, which nothing here uses. The guard keeps the installation from starting
# these (policy-rc.d is how Debian lets an administrator say so), and leaves a guard that is already there alone.
guard=/usr/sbin/policy-rc.d
guarded=''
fresh=()
remove_guard() {
    [[ -z $guarded ]] || "${as_root[@]}" rm -f "$guard"
    guarded=''
}
[[ " ${missing[*]} " != *' etcd-server '* ]] || fresh+=(etcd)
[[ " ${missing[*]} " != *' containerd '* ]] || fresh+=(containerd)
if ((${#fresh[@]})) && [[ ! -e $guard ]]; then
    at_exit remove_guard
    guarded=1
    printf '%s\n' '#!/bin/sh' "case \${1%.service} in $(IFS='|' && echo "${fresh[*]}")) exit 101 ;; esac" 'exit 0' |
        "${as_root[@]}" tee "$guard" >/dev/null
    "${as_root[@]}" chmod 755 "$guard"
fi

apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q)
step 'setup: apt-get update' "$WM_LOGS/apt-update.log" "${apt[@]}" update ||
    warn "apt-get update failed; trying with the package lists that are there"
step "setup: installing ${#missing[@]} packages" "$WM_LOGS/apt-install.log" \
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" || die "the packages could not be installed"
remove_guard
if ((${#fresh[@]})) && [[ -d /run/systemd/system ]]; then
    "${as_root[@]}" systemctl --quiet disable "${fresh[@]/%/.service}" 2>/dev/null || true
fi
fetch_promtool

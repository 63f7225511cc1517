#!/usr/bin/env bash
# Finds the programs of a Kubernetes control plane, or builds them from Debian's source package.
# Usage: ./dev cluster assets [--with agnhost] [--with node] [--with informer] [--keep-tree] [--rebuild]
#
#   --with agnhost   also the test image's program (a webhook to compare with)
#   --with node      also kubelet, kube-scheduler and kube-proxy
#   --with informer  also tests/bench/informer, client-go's way of following objects
#   --keep-tree      leave the build tree in the cache (2 GB)
#   --rebuild        build even when everything is there
#
# Looked for in $KUBEBUILDER_ASSETS, then PATH, then the cache ($WAYMARK_CACHE, ~/.cache/waymark). What is missing is
# built into the cache: about four minutes on two cores, once. Prints the path of each program.
# $WAYMARK_DEBIAN_MIRROR names another Debian mirror than deb.debian.org.
set -euo pipefail
# shellcheck source=tests/cluster/find.sh
source "$(dirname "${BASH_SOURCE[0]}")/find.sh"

with=() keep_tree='' rebuild=''
while (($#)); do
    case $1 in
        --with)
            with+=("$(option_value "$@")")
            shift
            ;;
        --with=*) with+=("${1#*=}") ;;
        --keep-tree) keep_tree=1 ;;
        --rebuild) rebuild=1 ;;
        -h | --help)
            usage "$0"
            exit
            ;;
        *) die "assets knows no option $1; see ./dev cluster assets --help" ;;
    esac
    shift
done
programs=(kube-apiserver kube-controller-manager)
for extra in "${with[@]}"; do
    case $extra in
        agnhost) programs+=(agnhost) ;;
        node) programs+=(kubelet kube-scheduler kube-proxy) ;;
        informer) programs+=(waymark-informer) ;;
        *) die "assets can add agnhost, node or informer, not $extra" ;;
    esac
done

# The only program whose source is ours: what was built of another one is not taken for it.
informer_digest() { cat "$WM_ROOT"/tests/bench/informer/* | sha256sum | cut -c 1-16; }
is_current() {
    local path
    path=$(find_program "$1") &&
        { [[ $1 != waymark-informer ]] || [[ $(cat "$path.digest" 2>/dev/null) == "$(informer_digest)" ]]; }
}

missing_programs() {
    local program
    for program in "${programs[@]}"; do
        [[ -z $rebuild ]] && is_current "$program" || printf '%s\n' "$program"
    done
}

print_programs() {
    local program
    for program in "${programs[@]}"; do
        find_program "$program"
    done
}

# fetch_source DIR: the source package into DIR, by an apt configuration that touches nothing of the system's
fetch_source() {
    local dir=$1 apt=$1/apt mirror=${WAYMARK_DEBIAN_MIRROR:-http://deb.debian.org/debian}
    mkdir -p "$apt/lists/partial" "$apt/archives/partial"
    printf 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s bookworm main\n' "$mirror" \
        >"$apt/sources.list"
    cat >"$apt/apt.conf" <<END
Dir::Etc::SourceList "$apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "$apt/lists";
Dir::Cache::Archives "$apt/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Sandbox::User "";
END
    cd "$dir"
    apt-get -c "$apt/apt.conf" update &&
        apt-get -c "$apt/apt.conf" source --download-only kubernetes
}

# unpack DSC TREE
unpack() { dpkg-source --no-copy -x "$1" "$2/kubernetes"; }

# mend_source TREE: two vendored libraries of this Kubernetes do not survive a Go newer than the one they were written
# for. Both mends are checked, since a source that changed under them must not be built silently unmended.
mend_source() {
    local tree=$1 reflect2=/usr/share/gocode/src/github.com/modern-go/reflect2 file
    # Map iteration by an old reflect2 ends the API server with SIGSEGV when it records its first mutating patch.
    [[ -f $reflect2/go_above_118.go ]] || die "$reflect2 is not the version that works with newer Go"
    rm -rf "$tree/vendor/github.com/modern-go/reflect2"
    cp -rL "$reflect2" "$tree/vendor/github.com/modern-go/reflect2"
    # Comparing reflect.Values takes every empty string in a custom resource for a null.
    local old='if data == nil || reflect.DeepEqual(reflect.Zero(reflect.TypeOf(data)), reflect.ValueOf(data)) {'
    for file in vendor/k8s.io/kube-openapi/pkg/validation/validate/type.go vendor/github.com/go-openapi/validate/type.go; do
        file=$tree/$file
        grep -qF "$old" "$file" || die "$file is not as expected: cannot mend the check for null"
        sed -i 's/if data == nil || reflect\.DeepEqual(.*)) {$/if data == nil {/' "$file"
        ! grep -qF "$old" "$file" || die "$file did not take the mend"
        [[ $(grep -cE '^	if data == nil \{$' "$file") == 1 ]] || die "$file was mended in the wrong place"
    done
}

# build_programs TREE PROGRAM...
build_programs() {
    local tree=$1 program what='' what_c='' go=''
    shift
    for program in "$@"; do
        case $program in
            agnhost) what+=' test/images/agnhost' ;;
            kubelet) what_c=cmd/kubelet ;;
            waymark-informer)
                cp -r "$WM_ROOT/tests/bench/informer" "$tree/cmd/$program"
                what+=" cmd/$program"
                ;;
            *) what+=" cmd/$program" ;;
        esac
    done
    # Debian's own Go first: much newer ones no longer compile this Kubernetes.
    [[ ! -x /usr/lib/go-1.19/bin/go ]] || go=/usr/lib/go-1.19/bin:
    mkdir -p "$tree/.go/src/k8s.io"
    ln -sfn ../../.. "$tree/.go/src/k8s.io/kubernetes"
    cd "$tree/.go/src/k8s.io/kubernetes"
    export PATH=$go$PATH GOPATH=$tree/.go GOFLAGS=-v GOPROXY=off GOTOOLCHAIN=local
    unset GOROOT GOBIN GO111MODULE
    [[ -z $what ]] || CGO_ENABLED=0 nice make WHAT="${what# }" || return
    [[ -z $what_c ]] || CGO_ENABLED=1 nice make WHAT="$what_c" || return
}

# shellcheck disable=SC2317 # called by step
packages_compiled() { printf '%s packages compiled' "$(grep -cE '^[a-z0-9._-]+(/[A-Za-z0-9._-]+)+$' "$1")"; }

# build_missing PROGRAM...: a function, so that bash has read all of it before minutes go by
build_missing() {
    local missing=("$@") free_kb tree source_dir dsc log version bin program built check
    say "${missing[*]}: not in \$KUBEBUILDER_ASSETS, PATH or $WM_CACHE; building from Debian's source package"
    need assets
    mkdir -p "$WM_CACHE"
    exec 9>"$WM_CACHE/assets.lock"
    if ! flock -n 9; then
        say 'another build is running; waiting for it'
        flock 9
    fi
    mapfile -t missing < <(missing_programs) # the other build may have made them
    ((${#missing[@]})) || return 0
    free_kb=$(df --output=avail -k "$WM_CACHE" | tail -n 1)
    ((free_kb > 4000000)) || die "building takes 4 GB in $WM_CACHE, and only $((free_kb / 1000000)) are free"

    tree=$(mktemp -d "$WM_CACHE/build.XXXXXX")
    [[ -n $keep_tree ]] || at_exit "rm -rf '$tree'" # also when the build is stopped

    source_dir=$WM_CACHE/kubernetes-src
    mkdir -p "$source_dir"
    dsc=$(find "$source_dir" -maxdepth 1 -name 'kubernetes_*.dsc' | sort -V | tail -n 1)
    log=$WM_LOGS/assets
    if [[ -z $dsc ]] || ! step 'unpack the kept source of Kubernetes' "$log-unpack.log" unpack "$dsc" "$tree"; then
        rm -rf "$tree/kubernetes" "$source_dir"/kubernetes_*
        step 'download the source of Kubernetes (35 MB)' "$log-download.log" fetch_source "$source_dir" ||
            die "the source package cannot be had; set WAYMARK_DEBIAN_MIRROR, or KUBEBUILDER_ASSETS to a folder with the programs"
        dsc=$(find "$source_dir" -maxdepth 1 -name 'kubernetes_*.dsc' | sort -V | tail -n 1)
        step 'unpack the source of Kubernetes' "$log-unpack.log" unpack "$dsc" "$tree"
    fi
    version=$(sed -n 's/^Version: //p' "$dsc" | head -n 1)
    mend_source "$tree/kubernetes"

    # shellcheck disable=SC2034 # read by step
    STEP_DETAIL=packages_compiled
    step "build ${missing[*]} (about four minutes on two cores)" "$log-build.log" \
        build_programs "$tree/kubernetes" "${missing[@]}" || die "the build failed; all of its output is in $log-build.log"

    # Each program goes to its place in one rename, and only after it ran.
    bin=$WM_CACHE/kubernetes-$version+$WM_MENDS/bin
    mkdir -p "$bin"
    for program in "${missing[@]}"; do
        built=$tree/kubernetes/_output/bin/$program
        check=--version
        case $program in agnhost | waymark-informer) check=--help ;; esac
        "$built" "$check" >"$log-check.log" 2>&1 || die "$program was built and does not run; see $log-check.log"
        cp "$built" "$bin/.$program.new"
        mv "$bin/.$program.new" "$bin/$program"
        [[ $program != waymark-informer ]] || informer_digest >"$bin/$program.digest"
    done
}

mapfile -t missing < <(missing_programs)
((${#missing[@]} == 0)) || build_missing "${missing[@]}"
print_programs

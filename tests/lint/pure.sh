#!/usr/bin/env bash
# The pure libraries stay pure: they may call nothing but what is listed here, and headers of the outside world are
# included only where they belong.  Arrows point down: mains -> edges -> pure.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build/dev}
failed=0

fail() {
    echo "$1" >&2
    failed=1
}

# What pure code may call: memory, strings, formatting into buffers, cJSON, digests; and ask what the processor can
# (__cpu_model, of the compiler's own library).
allowed='^(malloc|calloc|realloc|free|abort|mem(cpy|move|set|cmp|chr|mem)|str(len|chr|rchr|str|cmp|ncmp|spn|cspn|dup|ndup|toul|toll|tol)|strerror_r|__xpg_strerror_r|v?snprintf|fputs|fwrite|stderr|qsort|bsearch|fabs|__errno_location|__assert_fail|__stack_chk_fail|__(mem|str|v?snprintf|fdelt)[a-z]*_chk|cJSON_[A-Za-z]+|SHA256|EVP_(En|De)codeBlock|wm_[a-z0-9_]+|_GLOBAL_OFFSET_TABLE_|__isoc23_strto[a-z]+|__popcountdi2|__cpu_model)$'

# fputs and stderr: the last word of a process that has no memory left (wm_xcalloc).
for archive in lib/libwm_base.a lib/libwm_rules.a lib/libwm_diag.a lib/libwm_view.a lib/libwm_election.a certs/libwm_certs_plan.a; do
    [ -f "$build/$archive" ] || { fail "pure: $build/$archive is not built"; continue; }
    while read -r symbol; do
        [[ $symbol =~ $allowed ]] || fail "pure: $archive calls $symbol"
    done < <(nm -u "$build/$archive" | awk 'NF == 2 && $1 == "U" { print $2 }' | sort -u)
done

# header -> the places that may include it
only() {
    local header=$1 places=$2 hits
    hits=$(git grep -lE "#include <$header" -- '*.c' '*.h' | grep -vE "$places" || true)
    [ -z "$hits" ] || fail "pure: <$header> is included in: $hits"
}
only 'microhttpd.h' '^(webhook|lib/pages|tests)/'
only 'openssl/ssl' '^(webhook|certs|lib/kube|tests)/'
only 'curl/' '^(lib/kube|tests)/'
only 'archive(_entry)?.h' '^aggregator/dump_archive.c'
only 'yaml.h' '^(lib/host/yaml|tests/)'
only 'cjson/' '^(include/waymark/json.h|tests/)'
only 'pthread.h' '^(lib/host|lib/kube|webhook|certs|aggregator|tests)/'

# Calls that have a better place or none.
banned() {
    local pattern=$1 places=$2 why=$3 hits
    hits=$(git grep -nE "(^|[^a-z_A-Z])$pattern" -- 'lib/*.c' 'webhook/*.c' 'certs/*.c' 'aggregator/*.c' 'include/*.h' |
        grep -vE "$places" || true)
    [ -z "$hits" ] || fail "pure: $why: $hits"
}
banned '(strcpy|strcat|sprintf|strtok|gets|atoi)\(' '^$' 'unbounded or unchecked'
banned 'cJSON_GetObjectItem\(' '^$' 'ignores case; use cJSON_GetObjectItemCaseSensitive'
banned 'getenv\(' '^lib/host/' 'the environment is read in lib/host'
banned '(clock_gettime|gettimeofday|time)\(' '^lib/host/' 'clocks are read in lib/host'
banned 'printf\(' '(snprintf|fprintf|wm_buf_printf|webhook/main\.c|lib/host/options\.c|format\(printf)' 'programs log, mains print'

[ $failed -eq 0 ] && echo "pure: the layers hold"
exit $failed

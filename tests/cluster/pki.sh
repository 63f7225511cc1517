# shellcheck shell=bash
# Certificates by openssl, all ECDSA P-256, as small as the clusters and the webhook under test need. Sourced.

# new_ca PREFIX COMMON_NAME: makes PREFIX.key and PREFIX.crt
new_ca() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=$2" \
        -addext 'keyUsage=critical,digitalSignature,keyCertSign,cRLSign' \
        -keyout "$1.key" -out "$1.crt" 2>/dev/null
}

# new_certificate CA_PREFIX PREFIX SUBJECT [NAME...]: makes PREFIX.key and PREFIX.crt, signed by the CA, good for server
# and client. A NAME is as openssl writes them: DNS:localhost, IP:127.0.0.1. DAYS in the environment bounds its life.
new_certificate() {
    local ca=$1 prefix=$2 subject=$3 names
    shift 3
    names=$(IFS=,; printf '%s' "$*")
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$subject" \
        -keyout "$prefix.key" -out "$prefix.csr" 2>/dev/null
    openssl x509 -req -in "$prefix.csr" -CA "$ca.crt" -CAkey "$ca.key" -set_serial "0x$(openssl rand -hex 8)" \
        -days "${DAYS:-365}" -out "$prefix.crt" -extfile <(
            printf '%s\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' \
                'extendedKeyUsage=serverAuth,clientAuth'
            [[ -z $names ]] || printf 'subjectAltName=%s\n' "$names"
        ) 2>/dev/null
    rm -f "$prefix.csr"
}

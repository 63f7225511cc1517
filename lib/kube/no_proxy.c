/* $NO_PROXY, as Go programs read it: names with what is below them, addresses, networks.  libcurl would hold
 * it against the name in the URL, and that is the certificate's where tls-server-name is given. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <strings.h>

#include "internal.h"

enum { ENTRY_MAX = 256 };

/* The bytes of an address; 0 = it is none. */
static size_t address_of(const char *text, unsigned char out[static 16])
{
    return inet_pton(AF_INET, text, out) == 1 ? 4 : inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned rest = bits % 8, mask = 0xffu << (8 - rest) & 0xff;

    return memcmp(a, b, bits / 8) == 0 && (rest == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0);
}

/* `network` is an address, or one with "/BITS". */
static bool is_in_network(const char *host, char *network)
{
    unsigned char a[16], b[16];
    char *slash = strchr(network, '/');

    if (slash)
        *slash++ = '\0';
    size_t n = address_of(host, a);
    int bits = slash ? wm_str_digits(wm_str_of(slash), -1) : (int)n * 8;

    return n > 0 && address_of(network, b) == n && bits >= 0 && bits <= (int)n * 8 &&
           same_bits(a, b, (unsigned)bits);
}

/* ".example" is only what is below it, "example" and "*.example" are what Go makes of them. */
static bool is_in_domain(const char *host, const char *domain)
{
    domain += domain[0] == '*' && domain[1] == '.';
    size_t n = strlen(host), m = strlen(domain);

    if (m == 0 || n < m || strcasecmp(host + n - m, domain) != 0)
        return false;
    return domain[0] == '.' ? n > m : n == m || host[n - m - 1] == '.';
}

bool wm_no_proxy_covers(const char *list, const char *host)
{
    static const char between[] = ", \t";
    char name[ENTRY_MAX], entry[ENTRY_MAX];
    size_t n = strlen(host), bracket = host[0] == '[';

    if (n >= sizeof name)
        return false;
    memcpy(name, host + bracket, n + 1 - bracket);
    if (bracket)
        name[strcspn(name, "]")] = '\0';
    for (const char *p = list; *p; p += n) {
        p += strspn(p, between);
        n = strcspn(p, between);
        if (n == 0 || n >= sizeof entry)
            continue;
        memcpy(entry, p, n);
        entry[n] = '\0';
        if (strcmp(entry, "*") == 0 || is_in_domain(name, entry) || is_in_network(name, entry))
            return true;
    }
    return false;
}

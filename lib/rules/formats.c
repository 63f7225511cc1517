#include "formats.h"

#include "waymark/base64.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || is_digit(c);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
    return is_letter(c) || is_digit(c);
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool all(struct wm_str s, bool (*is)(char))
{
    for (size_t i = 0; i < s.n; i++)
        if (!is(s.p[i]))
            return false;
    return s.n > 0;
}

/* Cuts `s` at the first `mark`: what stands before it.  *s is what follows; absent when there is no mark. */
static struct wm_str take_until(struct wm_str *s, char mark)
{
    const char *at = s->n ? memchr(s->p, mark, s->n) : NULL;
    struct wm_str head = {s->p, at ? (size_t)(at - s->p) : s->n};

    *s = at ? (struct wm_str){at + 1, s->n - head.n - 1} : (struct wm_str){NULL, 0};
    return head;
}

/* --- images --- */

/* Between letters and digits: one dot, one or two underscores, any dashes. */
static bool is_separator(struct wm_str s)
{
    if (wm_str_is(s, ".") || wm_str_is(s, "_") || wm_str_is(s, "__"))
        return true;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '-')
            return false;
    return true;
}

static bool is_path_component(struct wm_str s)
{
    if (s.n == 0 || !is_lower_alnum(s.p[0]) || !is_lower_alnum(s.p[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n;) {
        size_t from = i;

        while (!is_lower_alnum(s.p[i]))
            i++;
        if (!is_separator((struct wm_str){s.p + from, i - from}))
            return false;
        while (i < s.n && is_lower_alnum(s.p[i]))
            i++;
    }
    return true;
}

static bool is_domain_component(struct wm_str s)
{
    if (s.n == 0 || !is_alnum(s.p[0]) || !is_alnum(s.p[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '-')
            return false;
    return true;
}

static bool is_domain(struct wm_str s)
{
    struct wm_str host = take_until(&s, ':');

    if (s.p && !all(s, is_digit))
        return false;
    while (host.p)
        if (!is_domain_component(take_until(&host, '.')))
            return false;
    return true;
}

static bool is_tag(struct wm_str s)
{
    if (s.n == 0 || s.n > 128 || s.p[0] == '.' || s.p[0] == '-')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && !strchr("_.-", s.p[i]))
            return false;
    return true;
}

/* algorithm[+._-algorithm]...:hex */
static bool is_digest(struct wm_str s)
{
    struct wm_str algorithm = take_until(&s, ':');
    bool begins = true;

    if (s.n < 32 || !all(s, is_hex))
        return false;
    for (size_t i = 0; i < algorithm.n; i++) {
        char c = algorithm.p[i];

        if (begins ? !is_letter(c) : !is_alnum(c) && !strchr("-_+.", c))
            return false;
        begins = !is_alnum(c);
    }
    return !begins;
}

/* Only a domain and a tag have a colon, and only a digest follows an '@': the pieces can be told apart
 * without going back. */
bool wm_is_image_reference(struct wm_str s)
{
    struct wm_str digest = s, first = take_until(&digest, '@'), rest = first;

    if (s.n == 0 || memchr(s.p, '\0', s.n) || (digest.p && !is_digest(digest)))
        return false;
    first = take_until(&rest, '/');
    if (!rest.p)
        rest = first;
    else if (!is_domain(first) && !is_path_component(first))
        return false;
    while (memchr(rest.p, '/', rest.n))
        if (!is_path_component(take_until(&rest, '/')))
            return false;
    struct wm_str path = take_until(&rest, ':');

    return is_path_component(path) && (!rest.p || is_tag(rest));
}

/* --- base64 --- */

bool wm_is_base64(struct wm_json_span s)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(s.text.n), bytes = WM_BUF_MAX(s.text.n);

    return wm_json_unescape(s, &text, NULL) == WM_OK &&
           wm_base64_decode(wm_buf_text(&text), &bytes, NULL) == WM_OK;
}

/* --- URLs --- */

/* net/url getScheme: letters first, then also digits and "+-." up to the colon; else there is no scheme. */
static struct wm_str scheme_of(struct wm_str url)
{
    struct wm_str rest = url, scheme = take_until(&rest, ':');

    if (!rest.p || scheme.n == 0 || !is_letter(scheme.p[0]))
        return (struct wm_str){0};
    for (size_t i = 0; i < scheme.n; i++)
        if (!is_alnum(scheme.p[i]) && !memchr("+-.", scheme.p[i], 3))
            return (struct wm_str){0};
    return scheme;
}

static bool is_word(struct wm_str s, const char *lower)
{
    if (s.n != strlen(lower))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] | 0x20) != lower[i])
            return false;
    return true;
}

static bool is_graphic(char c)
{
    return (unsigned char)c > 0x20 && c != 0x7f;
}

/* "host", "host:port", "[v6]:port", with or without "user@". */
static const char *authority_fault(struct wm_str s)
{
    struct wm_str user = s, host = take_until(&user, '@');

    if (user.p)
        host = user;
    if (host.n && host.p[0] == '[') {
        struct wm_str address = take_until(&host, ']');

        if (!host.p || address.n < 2)
            return "the address in brackets does not end";
        if (host.n && host.p[0] != ':')
            return "behind the address in brackets there is neither a port nor the end";
        take_until(&host, ':');
    } else if (take_until(&host, ':').n == 0) {
        return "it has no host";
    }
    return host.n && !all(host, is_digit) ? "its port is not a number" : NULL;
}

static const char *url_fault(struct wm_str url)
{
    struct wm_str scheme = scheme_of(url), rest = {url.p + scheme.n + 1, url.n - scheme.n - 1};

    if (!all(url, is_graphic))
        return "it has spaces or control characters";
    if (!is_word(scheme, "http") && !is_word(scheme, "https"))
        return "it does not begin with https:// or http://";
    if (rest.n < 2 || memcmp(rest.p, "//", 2) != 0)
        return "it has no host";
    rest = (struct wm_str){rest.p + 2, rest.n - 2};
    size_t n = 0;

    while (n < rest.n && !memchr("/?#", rest.p[n], 3))
        n++;
    return authority_fault((struct wm_str){rest.p, n});
}

const char *wm_url_fault(struct wm_json_span s)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(s.text.n);

    if (wm_json_unescape(s, &text, NULL) < 0 || text.n == 0)
        return "it is no text";
    return url_fault(wm_buf_text(&text));
}

/* --- durations --- */

static size_t unit_length(struct wm_str s)
{
    /* The last two are "us" with the micro sign and with the Greek letter. */
    static const char *const units[] = {"ns", "us", "ms", "s", "m", "h", "\xc2\xb5s", "\xce\xbcs"};

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t n = strlen(units[i]);

        if (s.n >= n && memcmp(s.p, units[i], n) == 0)
            return n;
    }
    return 0;
}

bool wm_is_go_duration(struct wm_str s)
{
    size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+');

    if (s.n - i == 1 && s.p[i] == '0')
        return true;
    if (i == s.n)
        return false;
    while (i < s.n) {
        size_t digits = 0;

        for (; i < s.n && is_digit(s.p[i]); i++)
            digits++;
        if (i < s.n && s.p[i] == '.')
            for (i++; i < s.n && is_digit(s.p[i]); i++)
                digits++;
        size_t unit = unit_length((struct wm_str){s.p + i, s.n - i});

        if (digits == 0 || unit == 0)
            return false;
        i += unit;
    }
    return true;
}

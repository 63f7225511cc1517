/* The members that pointers lead through, as a tree: a key is compared with those only that it may be, and a
 * member that many pointers share is met once. */
#include "json_wanted.h"

#include <assert.h>

#include "json_scan.h"

/* Length of the reference token at `t`, up to its slash or the pointer's end. */
static size_t token_length(const char *t, bool *ret_escaped)
{
    size_t n = 0;

    *ret_escaped = false;
    for (; t[n] != '\0' && t[n] != '/'; n++)
        *ret_escaped |= t[n] == '~';
    return n;
}

/* The member of `parent` for a token: one that is there, or a new one. */
static uint16_t member_for(struct wm_json_wanted *w, uint16_t parent, const struct wm_json_member *new)
{
    uint16_t *link = &w->members[parent].first;
    uint8_t nth = 0;

    for (; *link; link = &w->members[*link].next, nth++) {
        const struct wm_json_member *m = &w->members[*link];

        if (m->n == new->n && memcmp(m->token, new->token, m->n) == 0)
            return *link;
    }
    assert(w->n < WM_JSON_MAX_MEMBERS); /* what is asked for does not come from a text */
    *link = w->n++;
    w->members[*link] = *new;
    w->members[*link].nth = nth;
    return *link;
}

static void want(struct wm_json_wanted *w, const char *pointer, uint64_t bit)
{
    uint16_t at = WM_JSON_ROOT;

    while (*pointer == '/') {
        struct wm_json_member m = {.token = pointer + 1};
        size_t n = token_length(m.token, &m.escaped);

        m.n = (uint16_t)n;
        at = member_for(w, at, &m);
        pointer = m.token + n;
    }
    w->members[at].exact |= bit;
}

void wm_json_want(struct wm_json_wanted *ret, size_t n, const char *const pointers[])
{
    assert(n <= WM_JSON_MAX_POINTERS);
    ret->n_pointers = n;
    ret->n = WM_JSON_ROOT + 1;
    ret->members[0] = ret->members[WM_JSON_ROOT] = (struct wm_json_member){.token = ""};
    for (size_t i = 0; i < n; i++)
        if (pointers[i])
            want(ret, pointers[i], UINT64_C(1) << i);
}

bool wm_json_key_is_member(const struct wm_json_member *m, struct wm_str key)
{
    /* A key too long for these is none that we look for. */
    char token[512];
    wm_auto_buf struct wm_buf have = WM_BUF_MAX(sizeof token);
    size_t n = wm_json_pointer_decode((struct wm_str){m->token, m->n}, token, sizeof token);
    struct wm_json_span span = {WM_JSON_STRING, {key.p - 1, key.n + 2}};

    return m->n < sizeof token && wm_json_unescape(span, &have, NULL) == WM_OK &&
           wm_str_eq((struct wm_str){token, n}, wm_buf_text(&have));
}

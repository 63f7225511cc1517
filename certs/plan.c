#include "plan.h"

#include <assert.h>
#include <stdlib.h>

static const char *const step_names[WM_CERTS_N_STEPS] = {
    "wait", "create", "repair", "adopt", "set_bundle", "store_next", "promote", "drop_previous",
};

const char *wm_certs_step_name(enum wm_certs_step s)
{
    return (unsigned)s < WM_CERTS_N_STEPS ? step_names[s] : "unknown";
}

/* --- small questions --- */

static bool usable(const struct wm_certs_gen *g, int64_t now_s)
{
    /* Not yet valid counts as usable: then our clock is wrong, and the others' need not be. */
    return g->ok && now_s < g->not_after_s;
}

static bool is_in(struct wm_str s, const struct wm_str *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (wm_str_eq(s, list[i]))
            return true;
    return false;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The CAs that the Secret names, in whatever part. */
static bool known(const struct wm_certs_seen *seen, struct wm_str ca)
{
    return wm_str_eq(ca, seen->active.ca) || wm_str_eq(ca, seen->next.ca) ||
           is_in(ca, seen->previous, seen->n_previous);
}

static bool holds_another(const struct wm_certs_seen *seen)
{
    return usable(&seen->held, seen->now_s) && !wm_str_eq(seen->held.cert, seen->active.cert);
}

static bool should_serve_active(const struct wm_certs_settings *set, const struct wm_certs_seen *seen)
{
    if (!seen->secret_present || !usable(&seen->active, seen->now_s))
        return false;
    if (!holds_another(seen))
        return true;
    if (!seen->bundles_known)
        return false;
    if (seen->active.trusted_s >= set->wait_s)
        return true;
    /* Neither is trusted, and nothing will bring trust in the held one back. */
    return !known(seen, seen->held.ca) && !is_in(seen->held.ca, seen->bundled, seen->n_bundled);
}

/* Whether the previous CAs must still be trusted. */
static bool previous_lives(const struct wm_certs_settings *set, const struct wm_certs_seen *seen,
                           bool switched)
{
    int64_t age_s = seen->now_s - seen->previous_since_s;

    if (!seen->previous_present)
        return false;
    if (!switched && holds_another(seen) && is_in(seen->held.ca, seen->previous, seen->n_previous))
        return true;
    return age_s < set->keep_s && age_s > -set->keep_s; /* far in the future: nonsense */
}

/* When a third of its life is left.  A validity that was made shorter counts at once. */
static int64_t due_s(const struct wm_certs_settings *set, const struct wm_certs_gen *g)
{
    int64_t life_s = g->not_after_s - g->not_before_s;

    return g->not_after_s - smaller(life_s, set->validity_s) / 3;
}

/* --- building the answer --- */

static void keep_previous(struct wm_certs_plan *p, struct wm_str ca)
{
    if (p->n_previous < WM_CERTS_MAX_PREVIOUS && ca.n && !is_in(ca, p->previous, p->n_previous))
        p->previous[p->n_previous++] = ca;
}

static void trust(struct wm_certs_plan *p, struct wm_str ca)
{
    size_t at = p->n_bundle;

    if (!ca.n || is_in(ca, p->bundle, p->n_bundle))
        return;
    assert(p->n_bundle < WM_CERTS_MAX_BUNDLE);
    for (; at > 0; at--) {
        struct wm_str before = p->bundle[at - 1];
        int c = memcmp(before.p, ca.p, before.n < ca.n ? before.n : ca.n);

        if (c < 0 || (c == 0 && before.n < ca.n))
            break;
        p->bundle[at] = before;
    }
    p->bundle[at] = ca;
    p->n_bundle++;
}

static bool is_bundle(const struct wm_certs_plan *p, struct wm_str bytes)
{
    for (size_t i = 0; i < p->n_bundle; i++) {
        struct wm_str ca = p->bundle[i];

        if (bytes.n < ca.n || memcmp(bytes.p, ca.p, ca.n) != 0)
            return false;
        bytes.p += ca.n;
        bytes.n -= ca.n;
    }
    return bytes.n == 0;
}

static bool bundles_differ(const struct wm_certs_plan *p, const struct wm_certs_seen *seen)
{
    for (size_t i = 0; i < seen->n_bundles; i++)
        if (!is_bundle(p, seen->bundles[i]))
            return true;
    return false;
}

static void step(struct wm_certs_plan *p, enum wm_certs_step s, const char *why)
{
    p->step = s;
    p->why = why;
}

/* The Secret has no active pair that could be served: take the best there is.  Whatever is trusted now stays
 * trusted, since other replicas may be serving it. */
static void revive(const struct wm_certs_seen *seen, struct wm_certs_plan *p)
{
    const struct wm_certs_gen *next = &seen->next, *held = &seen->held;
    bool next_fits = seen->secret_present && usable(next, seen->now_s) && next->names_ok;
    struct wm_str active_ca = {0}, next_ca = {0};

    step(p, seen->secret_present ? WM_CERTS_REPAIR : WM_CERTS_CREATE,
         !seen->secret_present ? "absent"
         : seen->active.ok     ? "expired"
                               : "unusable");
    p->active = WM_CERTS_FRESH;
    if (usable(held, seen->now_s) && held->trusted_s >= 0) {
        p->active = WM_CERTS_HELD;
        active_ca = held->ca;
        /* Who deletes the Secret wants new keys: let a rotation follow, without a gap. */
        p->next = next_fits ? WM_CERTS_NEXT : seen->secret_present ? WM_CERTS_NONE : WM_CERTS_FRESH;
        next_ca = next_fits ? next->ca : next_ca;
    } else if (next_fits) {
        p->active = WM_CERTS_NEXT;
        active_ca = next->ca;
    }
    for (size_t i = 0; i < seen->n_previous + seen->n_bundled; i++) {
        struct wm_str ca = i < seen->n_previous ? seen->previous[i] : seen->bundled[i - seen->n_previous];

        if (!wm_str_eq(ca, active_ca) && !wm_str_eq(ca, next_ca))
            keep_previous(p, ca);
    }
    p->previous_since_s = seen->now_s;
}

/* CAs in a caBundle that the Secret does not know: from a Secret that was deleted or replaced, or somebody
 * else's.  They leave like any previous CA, not at once. */
static bool adopt(const struct wm_certs_seen *seen, struct wm_certs_plan *p)
{
    size_t before = p->n_previous;

    for (size_t i = 0; i < seen->n_bundled; i++)
        if (!known(seen, seen->bundled[i]))
            keep_previous(p, seen->bundled[i]);
    if (p->n_previous == before)
        return false;
    p->previous_since_s = seen->now_s;
    step(p, WM_CERTS_ADOPT, "unknown");
    return true;
}

/* The active pair is fine: rotate when it is time. */
static void rotate(const struct wm_certs_settings *set, const struct wm_certs_seen *seen,
                   struct wm_certs_plan *p)
{
    const struct wm_certs_gen *active = &seen->active, *next = &seen->next;

    if (usable(next, seen->now_s) && next->names_ok) {
        if (next->trusted_s < set->wait_s) {
            int64_t left_s = set->wait_s - (next->trusted_s > 0 ? next->trusted_s : 0);

            p->why = "propagation";
            p->wait_s = smaller(p->wait_s, left_s);
        } else if (p->n_previous == WM_CERTS_MAX_PREVIOUS) {
            p->why = "too many previous CAs";
        } else {
            step(p, WM_CERTS_PROMOTE, "trusted");
            p->active = WM_CERTS_NEXT;
            p->next = WM_CERTS_NONE;
            if (!wm_str_eq(active->ca, next->ca))
                keep_previous(p, active->ca);
            p->previous_since_s = seen->now_s;
        }
    } else if (!active->names_ok || seen->now_s >= due_s(set, active)) {
        step(p, WM_CERTS_STORE_NEXT, active->names_ok ? "due" : "names");
        p->next = WM_CERTS_FRESH;
    } else {
        p->wait_s = smaller(p->wait_s, due_s(set, active) - seen->now_s);
    }
}

static void tend(const struct wm_certs_settings *set, const struct wm_certs_seen *seen,
                 struct wm_certs_plan *p)
{
    bool lives = previous_lives(set, seen, p->serve_active);

    p->active = WM_CERTS_ACTIVE;
    p->next = seen->next.ok ? WM_CERTS_NEXT : WM_CERTS_NONE;
    p->previous_since_s = seen->previous_since_s;
    trust(p, seen->active.ca);
    if (usable(&seen->next, seen->now_s))
        trust(p, seen->next.ca);
    for (size_t i = 0; lives && i < seen->n_previous; i++)
        keep_previous(p, seen->previous[i]);
    for (size_t i = 0; i < p->n_previous; i++)
        trust(p, p->previous[i]);
    if (adopt(seen, p))
        return;
    if (bundles_differ(p, seen)) {
        step(p, WM_CERTS_SET_BUNDLE, "different");
        return;
    }
    if (seen->previous_present && !lives) {
        step(p, WM_CERTS_DROP_PREVIOUS, "kept long enough");
        return;
    }
    if (lives && seen->previous_since_s + set->keep_s > seen->now_s)
        p->wait_s = smaller(p->wait_s, seen->previous_since_s + set->keep_s - seen->now_s);
    rotate(set, seen, p);
}

void wm_certs_plan(const struct wm_certs_settings *set, const struct wm_certs_seen *seen,
                   struct wm_certs_plan *ret)
{
    *ret = (struct wm_certs_plan){.step = WM_CERTS_WAIT, .why = "fine", .wait_s = set->tick_s};
    ret->serve_active = should_serve_active(set, seen);
    if (!seen->bundles_known)
        ret->why = "caBundles unknown"; /* never write from half a view */
    else if (!seen->secret_present || !usable(&seen->active, seen->now_s))
        revive(seen, ret);
    else
        tend(set, seen, ret);
    if (ret->wait_s < 1)
        ret->wait_s = 1;
}

/* --- trust over time --- */

void wm_certs_trust_done(struct wm_certs_trust *t)
{
    for (size_t i = 0; i < WM_CERTS_MAX_TRUST; i++)
        free(t->of[i].ca);
    *t = (struct wm_certs_trust){0};
}

static bool all_have(const struct wm_str *bundles, size_t n, struct wm_str ca)
{
    for (size_t i = 0; i < n; i++)
        if (!bundles[i].n || !memmem(bundles[i].p, bundles[i].n, ca.p, ca.n))
            return false;
    return true;
}

static int64_t since(const struct wm_certs_trust *t, struct wm_str ca, int64_t otherwise)
{
    for (size_t i = 0; i < WM_CERTS_MAX_TRUST; i++)
        if (t->of[i].ca && wm_str_is(ca, t->of[i].ca))
            return t->of[i].since_s;
    return otherwise;
}

void wm_certs_trust_look(struct wm_certs_trust *t, const struct wm_str *bundles, size_t n_bundles,
                         const struct wm_str cas[WM_CERTS_MAX_TRUST], int64_t mono_s,
                         int64_t ret[WM_CERTS_MAX_TRUST])
{
    struct wm_certs_trust now = {0};

    for (size_t i = 0; i < WM_CERTS_MAX_TRUST; i++) {
        ret[i] = WM_CERTS_UNTRUSTED;
        if (!cas[i].n)
            continue;
        if (n_bundles == 0) {
            ret[i] = WM_CERTS_ALWAYS;
        } else if (all_have(bundles, n_bundles, cas[i])) {
            now.of[i].ca = wm_xstrndup(cas[i]);
            now.of[i].since_s = since(t, cas[i], mono_s);
            ret[i] = mono_s - now.of[i].since_s;
        }
    }
    wm_certs_trust_done(t);
    *t = now;
}

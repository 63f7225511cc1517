#include "lease_rules.h"

#include "waymark/json.h"
#include "waymark/time.h"

enum {
    MAX_RELEASES = 5, /* of a Lease that always changes under us */
    MAX_TIME = 64,
    MAX_DURATION_S = 3600,
};

/* --- settings --- */

static int64_t or_else(int64_t value, int64_t otherwise)
{
    return value ? value : otherwise;
}

int wm_election_init(struct wm_election *e, const struct wm_election_set *set, struct wm_error *err)
{
    struct wm_election_set s = *set;

    s.duration_ms = (or_else(s.duration_ms, 15000) + 999) / 1000 * 1000;
    s.renew_ms = or_else(s.renew_ms, 10000);
    s.retry_ms = or_else(s.retry_ms, 2000);
    s.look_ms = or_else(s.look_ms, s.retry_ms / 5);
    if (!s.identity || !*s.identity || strlen(s.identity) > 253)
        return wm_fail(err, WM_E_INVALID, NULL, "the identity of a candidate has 1 to 253 characters");
    if (s.duration_ms > MAX_DURATION_S * INT64_C(1000))
        return wm_fail(err, WM_E_INVALID, NULL, "a lease lasts an hour at most, not %lld s",
                       (long long)s.duration_ms / 1000);
    if (s.renew_ms >= s.duration_ms)
        return wm_fail(err, WM_E_INVALID, NULL,
                       "the renew deadline of %lld ms must be shorter than the lease duration of %lld ms",
                       (long long)s.renew_ms, (long long)s.duration_ms);
    if (s.retry_ms <= 0 || s.look_ms <= 0 || s.renew_ms * 10 <= s.retry_ms * 12)
        return wm_fail(
            err, WM_E_INVALID, NULL,
            "the renew deadline of %lld ms must be longer than 1.2 times the retry period of %lld ms",
            (long long)s.renew_ms, (long long)s.retry_ms);
    *e = (struct wm_election){.set = s,
                              .seen = {.metadata = WM_BUF_MAX(WM_LEASE_MAX_BODY),
                                       .spec = WM_BUF_MAX(WM_LEASE_MAX_BODY),
                                       .holder = WM_BUF_MAX(WM_LEASE_MAX_BODY),
                                       .acquired = WM_BUF_MAX(MAX_TIME)},
                              .renewed_ms = -1};
    return WM_OK;
}

void wm_election_done(struct wm_election *e)
{
    wm_buf_done(&e->seen.metadata);
    wm_buf_done(&e->seen.spec);
    wm_buf_done(&e->seen.holder);
    wm_buf_done(&e->seen.acquired);
}

/* --- the Lease as seen --- */

static bool is_ours(const struct wm_election *e)
{
    return wm_str_is(wm_buf_text(&e->seen.holder), e->set.identity);
}

/* By somebody else, who may still be at work. */
static bool is_taken(const struct wm_election *e, int64_t now_ms)
{
    return e->seen.holder.n > 0 && !is_ours(e) && e->seen.changed_ms + e->seen.held_ms > now_ms;
}

static void put(struct wm_buf *b, struct wm_str s)
{
    wm_buf_clear(b);
    wm_buf_str(b, s);
}

static void forget(struct wm_election *e)
{
    struct wm_lease_seen *s = &e->seen;

    wm_buf_clear(&s->metadata);
    wm_buf_clear(&s->spec);
    wm_buf_clear(&s->holder);
    wm_buf_clear(&s->acquired);
    s->transitions = 0;
}

/* Without its version an update would overwrite whatever is there. */
static int check(const struct wm_json_span *metadata, const struct wm_json_span *version,
                 const struct wm_json_span *holder, struct wm_error *err)
{
    if (metadata->kind != WM_JSON_OBJECT || version->kind != WM_JSON_STRING || version->text.n <= 2)
        return wm_fail(err, WM_E_INVALID, "/metadata/resourceVersion", "the answer is no Lease");
    if (holder->kind > WM_JSON_NULL && holder->kind != WM_JSON_STRING)
        return wm_fail(err, WM_E_INVALID, "/spec/holderIdentity", "the Lease's holder is no text");
    return WM_OK;
}

static int take(struct wm_election *e, int64_t now_ms, struct wm_str body, struct wm_error *err)
{
    enum { METADATA, VERSION, SPEC, HOLDER, DURATION, ACQUIRED, TRANSITIONS, N };
    static const char *const wanted[N] = {"/metadata",
                                          "/metadata/resourceVersion",
                                          "/spec",
                                          "/spec/holderIdentity",
                                          "/spec/leaseDurationSeconds",
                                          "/spec/acquireTime",
                                          "/spec/leaseTransitions"};
    struct wm_json_span at[N];
    wm_auto_buf struct wm_buf holder = WM_BUF_MAX(WM_LEASE_MAX_BODY);
    struct wm_lease_seen *s = &e->seen;
    int rc;

    if (body.n > WM_LEASE_MAX_BODY)
        return wm_fail(err, WM_E_TOO_BIG, NULL, "the Lease is larger than a MiB");
    if ((rc = wm_json_locate(body, N, wanted, at, err)) < 0 ||
        (rc = check(&at[METADATA], &at[VERSION], &at[HOLDER], err)) < 0)
        return rc;
    if (at[HOLDER].kind == WM_JSON_STRING && (rc = wm_json_unescape(at[HOLDER], &holder, err)) < 0)
        return rc;
    if (s->metadata.n == 0 || !wm_str_eq(wm_buf_text(&s->spec), at[SPEC].text))
        s->changed_ms = now_ms;
    put(&s->metadata, at[METADATA].text);
    put(&s->spec, at[SPEC].text);
    put(&s->holder, wm_buf_text(&holder));
    put(&s->acquired, at[ACQUIRED].kind == WM_JSON_STRING && at[ACQUIRED].text.n < MAX_TIME
                          ? at[ACQUIRED].text
                          : (struct wm_str){"", 0});
    s->transitions = wm_str_digits(at[TRANSITIONS].text, 0);
    int seconds = wm_str_digits(at[DURATION].text, 0);

    /* a holder that does not say for how long gets as long as we would */
    s->held_ms = seconds > 0 ? seconds * INT64_C(1000) : e->set.duration_ms;
    return WM_OK;
}

/* --- what to send --- */

static enum wm_lease_act ask(struct wm_election *e, enum wm_lease_act act, int64_t now_ms)
{
    e->act = act;
    e->sent_ms = now_ms;
    e->has_looked |= act == WM_LEASE_GET;
    e->may_be_ours |= act == WM_LEASE_CREATE || act == WM_LEASE_UPDATE;
    return act;
}

enum wm_lease_act wm_election_begin(struct wm_election *e, int64_t now_ms)
{
    wm_election_tick(e, now_ms);
    e->rounds++;
    e->has_looked = e->has_failed = false;
    if (e->releasing && !e->may_be_ours)
        return ask(e, WM_LEASE_PAUSE, now_ms);
    return ask(e, e->leading ? WM_LEASE_UPDATE : WM_LEASE_GET, now_ms);
}

void wm_election_body(const struct wm_election *e, int64_t wall_us, struct wm_buf *out)
{
    const struct wm_lease_seen *s = &e->seen;
    bool is_new = e->act == WM_LEASE_CREATE, stays = is_ours(e) && !e->releasing && s->acquired.n > 0;
    char now[WM_TIME_US_SIZE];

    wm_time_format_us(wall_us, now);
    wm_buf_puts(out, "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":");
    if (is_new)
        wm_buf_printf(out, "{\"namespace\":\"%s\",\"name\":\"%s\"}", e->set.namespace_, e->set.name);
    else
        wm_buf_str(out, wm_buf_text(&s->metadata));
    wm_buf_puts(out, ",\"spec\":{\"holderIdentity\":");
    wm_json_quote(out, wm_str_of(e->releasing ? "" : e->set.identity));
    wm_buf_printf(out, ",\"leaseDurationSeconds\":%d,\"acquireTime\":",
                  e->releasing ? 1 : (int)(e->set.duration_ms / 1000));
    if (stays)
        wm_buf_str(out, wm_buf_text(&s->acquired));
    else
        wm_json_quote(out, wm_str_of(now));
    wm_buf_printf(out, ",\"renewTime\":\"%s\",\"leaseTransitions\":%d}}", now,
                  s->transitions + (!is_new && !is_ours(e)));
}

/* --- what an answer means --- */

static enum wm_lease_act fail(struct wm_election *e)
{
    e->has_failed = true;
    e->errors++;
    return WM_LEASE_PAUSE;
}

static enum wm_lease_act on_seen(struct wm_election *e, int64_t now_ms, struct wm_str body,
                                 struct wm_error *err)
{
    if (take(e, now_ms, body, err) < 0)
        return fail(e);
    e->may_be_ours = is_ours(e);
    e->leading &= is_ours(e);
    if (e->releasing)
        return is_ours(e) && e->releases++ < MAX_RELEASES ? WM_LEASE_UPDATE : WM_LEASE_PAUSE;
    return is_taken(e, now_ms) ? WM_LEASE_PAUSE : WM_LEASE_UPDATE;
}

static enum wm_lease_act on_written(struct wm_election *e, int64_t now_ms, struct wm_str body,
                                    struct wm_error *err)
{
    if (take(e, now_ms, body, err) < 0)
        return fail(e);
    e->may_be_ours = is_ours(e);
    if (is_ours(e))
        e->renewed_ms = e->sent_ms;
    /* an answer that came too late is none: others may have waited long enough */
    e->leading = is_ours(e) && !e->releasing && now_ms < wm_election_deadline_ms(e);
    return WM_LEASE_PAUSE;
}

static enum wm_lease_act on_absent(struct wm_election *e, int64_t now_ms)
{
    e->may_be_ours = false;
    /* deleted by somebody's hand: its holder does not know yet, and will make it again */
    if (e->releasing || is_taken(e, now_ms))
        return WM_LEASE_PAUSE;
    forget(e);
    return WM_LEASE_CREATE;
}

static enum wm_lease_act on_refused(struct wm_election *e, int status)
{
    e->conflicts += status == 409;
    /* it was gone, and somebody was faster */
    if (e->act == WM_LEASE_CREATE && status == 409)
        e->leading = false;
    if (e->act == WM_LEASE_UPDATE && (!e->has_looked || (e->releasing && status == 409)))
        return WM_LEASE_GET;
    if (status != 409)
        return fail(e);
    e->has_failed = true;
    return WM_LEASE_PAUSE;
}

enum wm_lease_act wm_election_answer(struct wm_election *e, int64_t now_ms, int status, struct wm_str body,
                                     struct wm_error *err)
{
    enum wm_lease_act next;

    wm_election_tick(e, now_ms);
    if (status >= 200 && status < 300)
        next = e->act == WM_LEASE_GET ? on_seen(e, now_ms, body, err) : on_written(e, now_ms, body, err);
    else if (status == 404 && e->act == WM_LEASE_GET)
        next = on_absent(e, now_ms);
    else
        next = on_refused(e, status);
    return ask(e, next, now_ms);
}

/* --- times --- */

int64_t wm_election_deadline_ms(const struct wm_election *e)
{
    return e->renewed_ms + e->set.renew_ms;
}

bool wm_election_tick(struct wm_election *e, int64_t now_ms)
{
    bool is_over = e->leading && now_ms >= wm_election_deadline_ms(e);

    e->leading &= !is_over;
    return is_over;
}

static int64_t at_least(int64_t value, int64_t least)
{
    return value < least ? least : value;
}

static int64_t at_most(int64_t value, int64_t most)
{
    return value > most ? most : value;
}

int64_t wm_election_timeout_ms(const struct wm_election *e, int64_t now_ms)
{
    int64_t most = e->set.renew_ms / 2;

    /* what a leader learns after its deadline comes too late */
    return at_least(e->leading ? at_most(wm_election_deadline_ms(e) - now_ms, most) : most, 1);
}

int64_t wm_election_pause_ms(const struct wm_election *e, int64_t now_ms, uint32_t random)
{
    int64_t retry_ms = e->set.retry_ms;

    if (!e->leading) {
        int64_t pause_ms = e->has_failed ? retry_ms : e->set.look_ms;

        return pause_ms + pause_ms * 12 / 10 * random / UINT32_MAX;
    }
    if (!e->has_failed)
        return retry_ms;
    /* sooner and sooner towards the deadline, so that a server that comes back just before it is found */
    return at_least(at_most((wm_election_deadline_ms(e) - now_ms) / 2, retry_ms), retry_ms / 4);
}

void wm_election_release(struct wm_election *e)
{
    e->leading = false;
    e->releasing = true;
}

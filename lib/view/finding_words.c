/* What is said of a finding: its sentence, its remedy, and the condition MigrationStalled. */
#include <stdio.h>
#include <string.h>

#include "waymark/cause.h"
#include "waymark/evidence.h"
#include "words.h"

struct telling {
    struct wm_speech *sp;
    const struct wm_diagnosis *d;
    const struct wm_finding *f;
};

/* --- what stands in braces --- */

static const struct wm_record *subject(const struct telling *t)
{
    return t->d->look->suspects[t->f->suspect].record;
}

static const struct wm_record *other(const struct telling *t)
{
    return t->f->other ? t->f->other : subject(t);
}

static void put_name(const struct telling *t, const struct wm_record *r)
{
    wm_say(t->sp, wm_record_name(r));
}

static void put_namespace(const struct telling *t, const struct wm_record *r)
{
    wm_say(t->sp, wm_model_word(t->sp->w->model, r->namespace_));
}

static void put_kind(const struct telling *t, const struct wm_record *r)
{
    wm_say(t->sp, wm_kinds[r->kind].kind);
}

static void put_cluster(const struct telling *t, const struct wm_record *r)
{
    wm_say(t->sp, wm_cluster_name(t->sp->w, r->cluster));
}

static void put_object(const struct telling *t, const struct wm_record *r)
{
    wm_say_object(t->sp, r);
}

static void put_node(const struct telling *t, const struct wm_record *r)
{
    wm_say(t->sp, r->kind == WM_KIND_NODE ? wm_record_name(r) : wm_record_node(r));
}

static void put_kubectl(const struct telling *t, const struct wm_record *r)
{
    const char *namespace_ = wm_model_word(t->sp->w->model, r->namespace_);

    wm_buf_printf(&t->sp->text, "kubectl --context %s", wm_cluster_name(t->sp->w, r->cluster));
    if (namespace_[0])
        wm_buf_printf(&t->sp->text, " -n %s", namespace_);
}

static const struct {
    const char *name;
    void (*put)(const struct telling *t, const struct wm_record *r);
} of_records[] = {
    {"name", put_name},     {"namespace", put_namespace}, {"kind", put_kind},       {"cluster", put_cluster},
    {"object", put_object}, {"node", put_node},           {"kubectl", put_kubectl},
};

static void put_quote(const struct telling *t)
{
    wm_say_quote(t->sp, t->f->quote);
}

static void put_detail(const struct telling *t)
{
    wm_say(t->sp, t->f->detail);
}

static void put_seen(const struct telling *t)
{
    wm_say_time(t->sp, t->f->event ? wm_event_of(t->f->event)->first_s : t->f->since_s);
}

static void put_plan(const struct telling *t)
{
    wm_say(t->sp, t->sp->s->state->plan);
}

static void put_phase(const struct telling *t)
{
    wm_say(t->sp, t->sp->s->state->phase);
}

static void put_source(const struct telling *t)
{
    wm_say(t->sp, t->sp->s->source_name);
}

static void put_target(const struct telling *t)
{
    wm_say(t->sp, t->sp->s->target_name);
}

static void put_cancel(const struct telling *t)
{
    const struct wm_record *migration = t->sp->s->migration;

    put_kubectl(t, migration);
    wm_buf_printf(&t->sp->text, " patch migmigration %s --type=merge -p '{\"spec\":{\"canceled\":true}}'",
                  wm_record_name(migration));
}

static void put_ends(const struct telling *t)
{
    const struct wm_situation *s = t->sp->s;

    if (s->ends_s)
        wm_say_time(t->sp, s->ends_s);
    else
        wm_say(t->sp, "an unknown time");
}

static const struct {
    const char *name;
    void (*put)(const struct telling *t);
} of_findings[] = {
    {"quote", put_quote},   {"detail", put_detail}, {"seen", put_seen},
    {"plan", put_plan},     {"phase", put_phase},   {"ends", put_ends},
    {"cancel", put_cancel}, {"source", put_source}, {"target", put_target},
};

/* --- filling in --- */

static bool is_word(const char *p, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(p, word, n) == 0;
}

static void put_of(const struct telling *t, const char *p, size_t n, const struct wm_record *r)
{
    for (size_t i = 0; i < sizeof of_records / sizeof of_records[0]; i++)
        if (is_word(p, n, of_records[i].name))
            of_records[i].put(t, r);
}

static void put(const struct telling *t, const char *p, size_t n)
{
    static const char OTHER[] = "other.", HOST[] = "host.";
    const struct wm_record *migration = t->sp->s->migration;

    if (is_word(p, n, "other"))
        put_object(t, other(t));
    else if (is_word(p, n, "migration"))
        put_name(t, migration);
    else if (n > strlen(OTHER) && memcmp(p, OTHER, strlen(OTHER)) == 0)
        put_of(t, p + strlen(OTHER), n - strlen(OTHER), other(t));
    else if (n > strlen(HOST) && memcmp(p, HOST, strlen(HOST)) == 0)
        put_of(t, p + strlen(HOST), n - strlen(HOST), migration);
    else
        put_of(t, p, n, subject(t));
    for (size_t i = 0; i < sizeof of_findings / sizeof of_findings[0]; i++)
        if (is_word(p, n, of_findings[i].name))
            of_findings[i].put(t);
}

/* The length of a name in braces; 0 = these braces are the text's own, as in a patch or a jsonpath. */
static size_t name_after(const char *brace)
{
    size_t n = strspn(brace + 1, "abcdefghijklmnopqrstuvwxyz.");

    return n && brace[1] != '.' && brace[n + 1] == '}' ? n : 0;
}

static void fill(const struct telling *t, const char *text)
{
    for (const char *p = text; *p;) {
        size_t plain = strcspn(p, "{"), n = p[plain] ? name_after(p + plain) : 0;

        wm_buf_add(&t->sp->text, p, plain + (p[plain] && !n));
        p += plain + (p[plain] != '\0');
        if (n)
            put(t, p, n);
        p += n ? n + 1 : 0;
    }
}

static struct wm_speech speech_of(const struct wm_diagnosis *d)
{
    return wm_speech(d->look->w, d->look->s, false);
}

void wm_finding_say(const struct wm_diagnosis *d, const struct wm_finding *f, char *out, size_t size)
{
    wm_auto_speech struct wm_speech sp = speech_of(d);

    fill(&(struct telling){&sp, d, f}, f->cause->says);
    wm_say_end(&sp, out, size);
}

void wm_finding_remedy(const struct wm_diagnosis *d, const struct wm_finding *f, bool lines,
                       struct wm_buf *out)
{
    wm_auto_speech struct wm_speech sp = speech_of(d);
    struct wm_str text;

    fill(&(struct telling){&sp, d, f}, f->cause->remedy);
    text = wm_buf_text(&sp.text);
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\n' && !lines)
            wm_buf_puts(out, i > 0 && text.p[i - 1] == ':' ? " " : "; ");
        else
            wm_buf_add(out, &text.p[i], 1);
}

/* --- MigrationStalled --- */

static const struct {
    enum wm_pace pace;
    const char *head;
} heads[] = {
    {WM_PACE_STALLED, "Stalled"},
    {WM_PACE_BLIND, "Not to be seen"},
    {WM_PACE_SLOW, "Slow, and moving"},
    {WM_PACE_MOVES, "Moving"},
};

const struct wm_finding *wm_diagnosis_cause(const struct wm_diagnosis *d)
{
    return d->n && d->findings[0].explained_by < 0 ? &d->findings[0] : NULL;
}

static bool is_worth_saying(const struct wm_diagnosis *d)
{
    const struct wm_finding *f = wm_diagnosis_cause(d);

    return f && d->pace != WM_PACE_OVER &&
           (f->cause->weight == WM_STOPS || f->cause->weight == WM_HIDES || f->cause->weight == WM_THREATENS);
}

static void say_head(struct wm_speech *sp, const struct wm_diagnosis *d)
{
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (heads[i].pace == d->pace)
            wm_say(sp, heads[i].head);
    /* What moves does so since an instant ago: a time that would change with every look. */
    if (d->pace != WM_PACE_MOVES)
        wm_say_when(sp, "since", d->since_s);
}

static bool is_alike(const struct wm_diagnosis *d, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (d->findings[k].cause == d->findings[i].cause)
            return true;
    return false;
}

/* Of those with the same cause one is enough: a node without an agent holds up every volume on it. */
static void say_others(struct wm_speech *sp, const struct wm_diagnosis *d)
{
    size_t alike = 0, said = 0;

    for (size_t i = 1; i < d->n && d->findings[i].explained_by < 0; i++) {
        if (is_alike(d, i)) {
            alike++;
            continue;
        }
        wm_say(sp, said++ == 0 ? ". Also: " : "; ");
        fill(&(struct telling){sp, d, &d->findings[i]}, d->findings[i].cause->says);
    }
    if (alike)
        wm_buf_printf(&sp->text, ". %zu more such case%s", alike, alike == 1 ? "" : "s");
}

/* What has timed out already: the controller has only not seen it yet. */
static bool is_over(const struct wm_situation *s)
{
    return s->awaited && s->awaited->completed_s;
}

static void say_end(struct wm_speech *sp, const struct wm_diagnosis *d)
{
    const struct wm_situation *s = d->look->s;

    if (s->ends_s > d->look->w->now_s) {
        wm_buf_printf(&sp->text, ". %s gives up at ", s->ends_by);
        wm_say_time(sp, s->ends_s);
    } else if (!s->ends_s && d->pace == WM_PACE_STALLED && !is_over(s)) {
        wm_say(sp, ". It does not time out by itself");
    }
    if (d->behind)
        wm_buf_printf(&sp->text, ". %zu other migration%s for this one", d->behind,
                      d->behind == 1 ? " waits" : "s wait");
}

/* Nothing is written into a VMMigration while VirtRigaud copies: what is said before that stands for so long.
 */
static void say_where_else(struct wm_speech *sp, const struct wm_diagnosis *d)
{
    const struct wm_situation *s = d->look->s;

    if (!s->vm || !s->state->row || s->state->row->waits_for != WM_WAIT_VM_PROVIDERS)
        return;
    wm_say(sp, ". Once VirtRigaud copies, only the MigrationReport is kept up to date");
}

void wm_diagnosis_say(const struct wm_diagnosis *d, struct wm_said *out)
{
    wm_auto_speech struct wm_speech sp = speech_of(d);
    const struct wm_finding *f = wm_diagnosis_cause(d);

    memset(out, 0, sizeof *out);
    out->type = "MigrationStalled";
    out->wanted = is_worth_saying(d);
    if (!f || !out->wanted)
        return;
    out->status = d->pace == WM_PACE_STALLED;
    snprintf(out->reason, sizeof out->reason, "%s", f->cause->id);
    say_head(&sp, d);
    wm_say(&sp, ": ");
    fill(&(struct telling){&sp, d, f}, f->cause->says);
    wm_say(&sp, ". Do: ");
    wm_finding_remedy(d, f, false, &sp.text);
    say_end(&sp, d);
    say_others(&sp, d);
    say_where_else(&sp, d);
    wm_say_end(&sp, out->message, sizeof out->message);
}

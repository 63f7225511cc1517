#include "words.h"

#include "vm_words.h"
#include "waymark/time.h"

enum { SPEECH_MAX = 16 << 10 }; /* a dozen texts of at most 256 bytes, far from it */

struct wm_speech wm_speech(const struct wm_world *w, const struct wm_situation *s, bool brief)
{
    return (struct wm_speech){.w = w, .s = s, .brief = brief, .text = WM_BUF_MAX(SPEECH_MAX)};
}

void wm_speech_done(struct wm_speech *sp)
{
    wm_buf_done(&sp->text);
}

void wm_say_end(const struct wm_speech *sp, char *out, size_t size)
{
    wm_line_copy(out, size, wm_buf_text(&sp->text));
    for (char *p = out; *p; p++)
        *p = *p == '[' ? '(' : *p == ']' ? ')' : *p;
}

void wm_say(struct wm_speech *sp, const char *text)
{
    wm_buf_puts(&sp->text, text);
}

void wm_say_next(struct wm_speech *sp)
{
    wm_say(sp, sp->clauses++ == 0 ? ": " : "; ");
}

/* The day is left out where it is that of the phase's start; one line must stand alone. */
void wm_say_time(struct wm_speech *sp, int64_t s)
{
    int64_t since_s = sp->s->state->since_s;
    bool same_day = !sp->brief && since_s && s / 86400 == since_s / 86400;
    char text[WM_TIME_SIZE];

    wm_time_print(s, text);
    wm_say(sp, same_day ? strchr(text, 'T') + 1 : text);
}

void wm_say_when(struct wm_speech *sp, const char *preposition, int64_t s)
{
    if (!s)
        return;
    wm_buf_printf(&sp->text, " %s ", preposition);
    wm_say_time(sp, s);
}

void wm_say_quote(struct wm_speech *sp, const char *text)
{
    size_t n = strlen(text);

    while (n > 0 && (text[n - 1] == '.' || text[n - 1] == ' '))
        n--;
    wm_buf_add(&sp->text, text, n);
}

/* --- clusters and objects --- */

const char *wm_cluster_name(const struct wm_world *w, uint8_t cluster)
{
    return cluster < w->n_clusters ? w->clusters[cluster].name : "";
}

static void say_on(struct wm_speech *sp, const char *cluster)
{
    wm_buf_printf(&sp->text, sp->brief ? " on %s" : " on cluster %s", cluster);
}

void wm_say_object(struct wm_speech *sp, const struct wm_record *r)
{
    const char *namespace_ = wm_model_word(sp->w->model, r->namespace_);

    wm_buf_printf(&sp->text, "%s ", wm_kinds[r->kind].kind);
    if (!sp->brief && namespace_[0])
        wm_buf_printf(&sp->text, "%s/", namespace_);
    wm_say(sp, wm_record_name(r));
    say_on(sp, wm_cluster_name(sp->w, r->cluster));
}

/* The name of the source or target cluster; NULL = not known. */
static const char *name_in_role(const struct wm_speech *sp, unsigned role)
{
    bool source = role == WM_CLUSTER_SOURCE;
    const char *name = wm_cluster_name(sp->w, source ? sp->s->source : sp->s->target);
    const char *asked = source ? sp->s->source_name : sp->s->target_name;

    return name[0] ? name : asked[0] ? asked : NULL;
}

/* `any`: it is on one of the clusters, and which is not known. */
static void say_roles(struct wm_speech *sp, unsigned roles, bool any)
{
    const unsigned both = WM_CLUSTER_SOURCE | WM_CLUSTER_TARGET;
    const char *source = name_in_role(sp, WM_CLUSTER_SOURCE), *target = name_in_role(sp, WM_CLUSTER_TARGET);
    const char *link = any ? "or" : "and", *clusters = sp->brief ? "" : any ? "cluster " : "clusters ";
    bool two = (roles & both) == both;

    if (two && source && target && strcmp(source, target) != 0)
        wm_buf_printf(&sp->text, " on %s%s %s %s", clusters, source, link, target);
    else if (two && !(source && target))
        wm_buf_printf(&sp->text, " on the source %s target cluster%s", link, any ? "" : "s");
    else if (roles & WM_CLUSTER_SOURCE)
        source ? say_on(sp, source) : wm_say(sp, " on the source cluster");
    else if (roles & WM_CLUSTER_TARGET)
        target ? say_on(sp, target) : wm_say(sp, " on the target cluster");
    else
        say_on(sp, wm_cluster_name(sp->w, 0));
}

/* --- waiting --- */

static void say_copy(struct wm_speech *sp)
{
    const struct wm_record *r = sp->s->original;

    if (r)
        wm_buf_printf(&sp->text, "the copy of Backup %s%s%s to appear",
                      sp->brief ? "" : wm_model_word(sp->w->model, r->namespace_), sp->brief ? "" : "/",
                      wm_record_name(r));
    else
        wm_say(sp, "the copy of a Backup to appear");
    say_roles(sp, WM_CLUSTER_TARGET, false);
}

static void say_all(struct wm_speech *sp, const struct wm_phase *phase)
{
    wm_say(sp, wm_wait_text(phase->waits_for));
    if (phase->on != WM_CLUSTER_HOST)
        say_roles(sp, phase->on, false);
    if (!sp->s->awaited)
        return;
    wm_say(sp, ", now for ");
    wm_say_object(sp, sp->s->awaited);
}

void wm_say_wait(struct wm_speech *sp)
{
    const struct wm_situation *s = sp->s;
    const struct wm_phase *phase = s->state->row;

    if (phase->waits_for == WM_WAIT_NOTHING)
        return;
    wm_say(sp, "waits for ");
    if (s->vm) {
        wm_say_vm_wait(sp);
    } else if (!s->awaited_kind[0] || s->awaits_many) {
        say_all(sp, phase);
    } else if (s->awaited) {
        wm_say_object(sp, s->awaited);
    } else if (phase->waits_for == WM_WAIT_BACKUP_COPY) {
        say_copy(sp);
    } else {
        wm_buf_printf(&sp->text, "a %s", s->awaited_kind);
        say_roles(sp, phase->on, true);
    }
}

/* Clusters: as mig-controller sees them, and as we do. */
#include <string.h>

#include "causes.h"
#include "waymark/time.h"

/* --- as mig-controller sees them --- */

static bool has_blocker(struct wm_clue *c, const char *const types[])
{
    const struct wm_note *note = wm_note_of(&wm_cluster_of(c->r)->notes, types);

    return wm_clue_plan_matters(c) && note && note->category >= WM_CATEGORY_ERROR && wm_clue_note(c, note);
}

static bool lacks_token(struct wm_clue *c)
{
    static const char *const types[] = {"InvalidSaToken", "InvalidSaSecretRef", "SaTokenNotPrivileged", NULL};

    return has_blocker(c, types);
}

static bool lacks_url(struct wm_clue *c)
{
    static const char *const types[] = {"InvalidURL", NULL};

    return has_blocker(c, types);
}

static const char *const connect[] = {"TestConnectFailed", NULL};

static bool lacks_trust(struct wm_clue *c)
{
    return has_blocker(c, connect) && (strstr(c->quote, "x509") || strstr(c->quote, "certificate"));
}

static bool is_refused(struct wm_clue *c)
{
    return has_blocker(c, connect) && !lacks_trust(c);
}

static bool is_not_ready(struct wm_clue *c)
{
    const struct wm_cluster_state *cluster = wm_cluster_of(c->r);

    return wm_clue_plan_matters(c) && !cluster->ready && wm_clue_note(c, wm_note_blocking(&cluster->notes));
}

/* --- as we see them --- */

struct side {
    enum wm_cluster_role role;
    uint8_t cluster;
    const char *name;
};
enum { SIDES = 2 };

static struct side side_of(const struct wm_look *look, int i)
{
    const struct wm_situation *s = look->s;

    return i == 0 ? (struct side){WM_CLUSTER_SOURCE, s->source, s->source_name}
                  : (struct side){WM_CLUSTER_TARGET, s->target, s->target_name};
}

static enum wm_cluster_sight sight_of(const struct wm_look *look, const struct side *side)
{
    return side->cluster < look->w->n_clusters ? look->w->clusters[side->cluster].sight : WM_SIGHT_NONE;
}

static bool is_seen_well(enum wm_cluster_sight sight)
{
    return sight == WM_SIGHT_GOOD || sight == WM_SIGHT_STARTING;
}

static bool works_there(const struct wm_look *look, const struct side *side)
{
    const struct wm_phase *phase = look->s->state->row;

    return phase && (phase->on & side->role);
}

/* Volumes and images are copied by objects of the host, which tell how far they are; why they do not get on
 * is told by the other clusters. */
static bool is_shown_by_host(const struct wm_look *look)
{
    const struct wm_phase *phase = look->s->state->row;

    return phase && (phase->waits_for == WM_WAIT_VOLUMES || phase->waits_for == WM_WAIT_IMAGES);
}

bool wm_look_is_blind(const struct wm_look *look)
{
    for (int i = 0; i < SIDES; i++) {
        struct side side = side_of(look, i);

        if (side.name[0] && (works_there(look, &side) || is_shown_by_host(look)) &&
            !is_seen_well(sight_of(look, &side)))
            return true;
    }
    return false;
}

static bool has_record(const struct wm_look *look, const char *name)
{
    for (size_t i = 0; i < look->n; i++)
        if (look->suspects[i].role == WM_ROLE_CLUSTER &&
            strcmp(wm_record_name(look->suspects[i].record), name) == 0)
            return true;
    return false;
}

/* Where a cluster has no MigCluster that is known, it is said of the migration. */
static bool is_about(const struct wm_clue *c, const struct side *side)
{
    return c->suspect->role == WM_ROLE_CLUSTER ? strcmp(wm_record_name(c->r), side->name) == 0
                                               : !has_record(c->look, side->name);
}

static bool is_seen_so(struct wm_clue *c, unsigned sights)
{
    const struct wm_look *look = c->look;

    for (int i = 0; i < SIDES; i++) {
        struct side side = side_of(look, i);
        enum wm_cluster_sight sight = sight_of(look, &side);
        bool here = works_there(look, &side);

        if (!side.name[0] || !is_about(c, &side) || !(sights & (1u << sight)) ||
            !(here || is_shown_by_host(look)))
            continue;
        if (side.cluster < look->w->n_clusters) {
            c->since_s = look->w->clusters[side.cluster].since_s;
            c->quote = look->w->clusters[side.cluster].why;
        }
        if (!here || sight == WM_SIGHT_PARTIAL)
            c->due_s = wm_later(c->since_s, look->still_since_s) + look->thresholds->s[WM_T_COPY];
        c->detail = side.name;
        if (!c->quote || !c->quote[0])
            c->quote = "no reason is known";
        return true;
    }
    return false;
}

static bool is_unreachable(struct wm_clue *c)
{
    return is_seen_so(c, 1u << WM_SIGHT_UNREACHABLE);
}

static bool is_forbidden(struct wm_clue *c)
{
    return is_seen_so(c, 1u << WM_SIGHT_UNAUTHORIZED | 1u << WM_SIGHT_PARTIAL);
}

static bool is_not_watched(struct wm_clue *c)
{
    return is_seen_so(c, 1u << WM_SIGHT_NONE);
}

#define WHERE WM_ROLE(CLUSTER) | WM_ROLE(MIGRATION)
#define MIGCLUSTER "mig-controller pkg/controller/migcluster/validation.go, migtools/mtc-breakfix lab 01"

const struct wm_cause wm_causes_cluster[] = {
    {"ClusterTokenInvalid", WM_ROLE(CLUSTER), WM_KIND_MIGCLUSTER, WM_ANY_WAIT, lacks_token, WM_STOPS,
     WM_CERTAIN, WM_T_SIGNAL, 8, "The token for a cluster is missing, expired or has too few rights",
     "mig-controller has no valid access to the cluster {name} since {seen}, which blocks the plan: "
     "{detail}: {quote}",
     "put a new token of the service account into the Secret that the MigCluster names:\n"
     "{kubectl} get migcluster {name} -o yaml\n"
     "kubectl --context {name} -n {namespace} create token migration-controller --duration=720h",
     MIGCLUSTER},
    {"ClusterCertificate", WM_ROLE(CLUSTER), WM_KIND_MIGCLUSTER, WM_ANY_WAIT, lacks_trust, WM_STOPS,
     WM_CERTAIN, WM_T_SIGNAL, 8, "The certificate of a cluster is not trusted",
     "mig-controller does not trust the certificate of the cluster {name} since {seen}, which blocks the "
     "plan: {quote}",
     "put the CA that signs the certificate of its API server into spec.caBundle (base64):\n"
     "{kubectl} edit migcluster {name}",
     MIGCLUSTER},
    {"ClusterUrlInvalid", WM_ROLE(CLUSTER), WM_KIND_MIGCLUSTER, WM_ANY_WAIT, lacks_url, WM_STOPS, WM_CERTAIN,
     WM_T_SIGNAL, 8, "The address of a cluster is wrong",
     "the address of the cluster {name} is not usable since {seen}, which blocks the plan: {quote}",
     "correct spec.url (https, host and port):\n"
     "{kubectl} edit migcluster {name}",
     MIGCLUSTER},
    {"ClusterConnectFails", WM_ROLE(CLUSTER), WM_KIND_MIGCLUSTER, WM_ANY_WAIT, is_refused, WM_STOPS,
     WM_CERTAIN, WM_T_SIGNAL, 8, "mig-controller cannot connect to a cluster",
     "mig-controller cannot connect to the cluster {name} since {seen}, which blocks the plan: {quote}",
     "see whether its API server answers, and whether the host cluster reaches it:\n"
     "kubectl --context {name} get --raw /readyz\n"
     "{kubectl} describe migcluster {name}",
     MIGCLUSTER},
    {"ClusterNotReady", WM_ROLE(CLUSTER), WM_KIND_MIGCLUSTER, WM_ANY_WAIT, is_not_ready, WM_STOPS, WM_LIKELY,
     WM_T_SIGNAL, 7, "A MigCluster is not ready",
     "{object} (cluster {name}) is not ready since {seen}, which blocks the plan: {detail}: {quote}",
     "mend what it complains of:\n"
     "{kubectl} describe migcluster {name}",
     MIGCLUSTER},
    {"ClusterUnreachable", WHERE, WM_KIND_NONE, WM_ANY_WAIT, is_unreachable, WM_HIDES, WM_CERTAIN,
     WM_T_SIGNAL, 8, "Waymark cannot reach a cluster",
     "cluster {detail}, where the migration is at work, cannot be reached by Waymark since {seen} ({quote}); "
     "what is said "
     "of it may be old",
     "see whether its API server answers:\n"
     "kubectl --context {detail} get --raw /readyz",
     "mig-controller pkg/controller/migcluster/validation.go"},
    {"ClusterForbidden", WHERE, WM_KIND_NONE, WM_ANY_WAIT, is_forbidden, WM_HIDES, WM_CERTAIN, WM_T_SIGNAL, 8,
     "Waymark may not look into a cluster",
     "cluster {detail}, where the migration is at work, does not let Waymark see what it needs since {seen}: "
     "{quote}",
     "renew Waymark's token for it, or grant what is missing; what the token may:\n"
     "kubectl --context {detail} -n {host.namespace} auth can-i --list",
     "Kubernetes API: authentication and authorization"},
    {"ClusterNotWatched", WHERE, WM_KIND_NONE, WM_ANY_WAIT, is_not_watched, WM_HIDES, WM_CERTAIN,
     WM_T_STARTUP, 8, "Waymark knows no way to a cluster",
     "cluster {detail}, where the migration is at work, is not watched by Waymark, so whether it gets on "
     "there cannot "
     "be seen",
     "give the aggregator access: a kubeconfig for the cluster, or the Secret of its MigCluster; its log "
     "says why not:\n"
     "{host.kubectl} get migcluster {detail} -o yaml",
     "waymark-aggregator"},
    {0},
};

/* The ledger of restarts, between the files that keep it.  Inside of wm_diag. */
#ifndef WAYMARK_DIAG_RESTARTS_IMPL_H
#define WAYMARK_DIAG_RESTARTS_IMPL_H

#include "waymark/restarts.h"
#include "waymark/time.h"

enum {
    WM_STAYS_MAX = 6,        /* of a pod; when full, the second one goes */
    WM_AWAYS_MAX = 16,       /* of a Deployment, likewise */
    WM_LEDGER_PODS_MAX = 48, /* of a Deployment; those that are gone go first, the oldest of them */
    WM_LEDGER_SETS_MAX = 24,
    WM_LEDGER_CLAIMS_MAX = 512,
    WM_SETTLE_S = 120, /* so long after its end what is known of a restart may still change */
    WM_HARM_S = 60,    /* so long after a pod was told to end a migration fails of it */
};

/* A time during which a pod was ready. */
struct wm_stay {
    int64_t from_s, to_s; /* to_s 0 = it is still */
};

/* A pod of a Deployment, also when it is gone. */
struct wm_pod_memo {
    struct wm_id id;
    wm_name name;
    wm_word hash; /* of its ReplicaSet */
    int64_t created_s;
    int64_t seen_s;   /* it was there */
    int64_t let_go_s; /* it was told to end; 0 = not told */
    int64_t failed_s; /* it ended by itself, as when it is evicted */
    int64_t gone_s;   /* it was not there any more */
    wm_word why;      /* of its end; "" = not told */
    int restarts;     /* of its containers */
    int64_t died_s;   /* when a container of it ended last */
    wm_word died_of;
    wm_text last_words;
    struct wm_stay stays[WM_STAYS_MAX];
    size_t n_stays;
};
/* When it ceased to be one that counts: told to end, ended, or gone; 0 = it is one. */
int64_t wm_pod_memo_end(const struct wm_pod_memo *p);
/* Since when it is ready, of its last stay; 0 = it is not, or never was. */
int64_t wm_pod_memo_ready(const struct wm_pod_memo *p);

/* What the EndpointSlices of a Service say: nothing, as there are none; that it leads to a pod of its; that
 * it does not. */
enum wm_service { WM_SERVICE_UNKNOWN, WM_SERVICE_LEADS, WM_SERVICE_AWAY };
/* A time in which it did not. */
struct wm_away {
    int64_t from_s, to_s; /* to_s 0 = it is so still */
    bool at_least;        /* what was before is not known */
};

/* A Deployment of a provider. */
struct wm_server_memo {
    struct wm_id id;
    wm_name namespace_, name, provider;
    int64_t created_s;
    int64_t since_s;      /* first seen */
    int64_t horizon_s;    /* what was before is summed up */
    int64_t down_s;       /* seconds before that in which nobody answered */
    int revision, wanted; /* 0 revision, -1 wanted: not known */
    bool down;            /* by its own word; of one whose pods are not known */
    int64_t down_since_s;
    bool served;       /* a pod of it was ready once: only then it can become unavailable */
    bool starts;       /* it never was, and is to be: its first rollout, which is no restart */
    bool start_sticks; /* and does not get on */
    uint64_t restarts[WM_RESTART_KIND_COUNT];
    struct wm_pod_memo *pods; /* [n_pods], room for WM_LEDGER_PODS_MAX */
    size_t n_pods;
    enum wm_service service;
    int64_t service_s; /* since when, as far as it is known */
    struct wm_away aways[WM_AWAYS_MAX];
    size_t n_aways;
};

struct wm_entry {
    struct wm_restart r;
    struct wm_id server;
    bool sealed; /* nothing of it changes any more */
    bool counted;
    bool recalled_over;                       /* a report tells that it ended */
    bool cut;                                 /* a ROLLOUT that another one overtook */
    int64_t guessed_s;                        /* begun, while no pod tells */
    struct wm_id old, new;                    /* pods, of all kinds but ROLLOUT */
    wm_word hash;                             /* of a ROLLOUT's new pods; "" = not known */
    struct wm_culprit known[WM_CULPRITS_MAX]; /* remembered by a report, as is the gap */
    struct wm_stay gap;
    bool gap_at_least, gap_of_service;
    size_t n_known;
    int64_t closed_s; /* when `sealed` is due to be counted from: first seen to be over */
};

/* Whose a PVC is or was. */
struct wm_claim_memo {
    struct wm_id id;
    wm_name namespace_, claim, migration, source, target;
    wm_uid uid;
    int64_t created_s, seen_s;
    bool going; /* or gone */
};

struct wm_ledger {
    int64_t signal_s, patience_s, made_s;
    struct wm_entry **entries; /* [WM_RESTARTS_MAX] */
    size_t n;
    struct wm_server_memo **servers;
    size_t n_servers, cap_servers;
    struct wm_claim_memo *claims; /* [WM_LEDGER_CLAIMS_MAX] */
    size_t n_claims;
};

/* A Deployment as it is now. */
struct wm_glance {
    struct wm_ledger *l;
    const struct wm_model *m;
    struct wm_server_memo *server;
    const struct wm_server_state *state;
    const struct wm_record *sets[WM_LEDGER_SETS_MAX]; /* its ReplicaSets, the highest revision first */
    size_t n_sets;
    int64_t now_s;
};

/* restarts_entries.c */
uint64_t wm_restart_key(struct wm_id id, enum wm_restart_kind kind, uint64_t number);
struct wm_entry *wm_entry_find(const struct wm_ledger *l, uint64_t key);
/* A new one; never NULL: when there are too many, the oldest that is over makes room. */
struct wm_entry *wm_entry_add(struct wm_ledger *l, uint64_t key);
/* The same for a Deployment that is there. */
struct wm_entry *wm_entry_open(const struct wm_glance *g, enum wm_restart_kind kind, struct wm_id id,
                               uint64_t number);
void wm_entry_drop(struct wm_ledger *l, struct wm_entry *e);
/* Times that follow from pods: gap and overlap; whether it is stuck; victims; and its end as known. */
void wm_entry_conclude(const struct wm_glance *g, struct wm_entry *e);
void wm_id_print(struct wm_id id, wm_uid out);

/* restarts_pods.c */
void wm_server_see_pods(const struct wm_glance *g);
struct wm_pod_memo *wm_server_pod(const struct wm_server_memo *s, struct wm_id id);
/* Sums up what is long over and forgets it; `keep_s`: needed from there on. */
void wm_server_forget(struct wm_server_memo *s, int64_t keep_s, int64_t now_s);

/* restarts_service.c */
void wm_server_see_service(const struct wm_glance *g);
/* When its Service leads to it again, where it ceased to in [from_s, to_s]; 0 = not yet.  Else to_s. */
int64_t wm_server_away_until(const struct wm_server_memo *s, int64_t from_s, int64_t to_s);
void wm_server_forget_aways(struct wm_server_memo *s, int64_t before_s);

/* restarts_gaps.c */
void wm_entry_find_gap(const struct wm_glance *g, struct wm_entry *e);
/* Seconds in [from_s, to_s] in which nobody answered; and since when nobody does at the end, 0 = somebody. */
int64_t wm_server_down(const struct wm_server_memo *s, int64_t from_s, int64_t to_s, int64_t *ret_since_s);

/* Whether a pod of it ever served, and what follows from that. */
void wm_server_note_served(const struct wm_glance *g);

/* restarts_rollout.c */
void wm_look_at_rollout(const struct wm_glance *g);
/* restarts_others.c */
void wm_look_at_pods(const struct wm_glance *g);
void wm_look_at_scale(const struct wm_glance *g);
/* restarts_stuck.c */
void wm_entry_find_stuck(const struct wm_glance *g, struct wm_entry *e);
/* Of one that never served: its first pods do not get on. */
bool wm_server_start_sticks(const struct wm_glance *g);
/* Of a pod of a restart: it is one of the new ones. */
bool wm_entry_is_new(const struct wm_entry *e, const struct wm_pod_memo *p);

/* restarts_owners.c */
void wm_ledger_note_claim(struct wm_ledger *l, const struct wm_model *m, const struct wm_record *claim,
                          bool gone, int64_t now_s);
/* What is known of PVCs, once more: a VMMigration or a VirtualMachine changed. */
void wm_ledger_note_owner(struct wm_ledger *l, const struct wm_model *m, const struct wm_record *r,
                          int64_t now_s);
void wm_culprit_of(const struct wm_glance *g, const char *claim, bool deleted, struct wm_culprit *ret);
/* What a report remembered of its culprits, where nothing else tells. */
void wm_culprits_keep(struct wm_entry *e);
enum wm_restart_role wm_role_of_provider(const char *provider, const char *source, const char *target);
/* The Provider of a migration's source, where needed from its VirtualMachine; "" = not known. */
void wm_source_provider_of(const struct wm_model *m, const struct wm_record *migration, wm_name ret);

/* restarts_victims.c */
void wm_entry_find_victims(const struct wm_glance *g, struct wm_entry *e);
/* The one that copies through the provider at that time, for a container that ran out of memory. */
const struct wm_record *wm_copies_through(const struct wm_glance *g, int64_t at_s);

#endif
